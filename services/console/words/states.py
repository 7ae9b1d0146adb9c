"""The states of jobs, chunks and rows, as everything that shows them says them."""

from services.console.words.speaking import Word

WORDS = {
    "job.pending": Word("waiting", "ожидает"),
    "job.processing": Word("under way", "в работе"),
    "job.completed": Word("done", "завершён"),
    "job.failed": Word("failed", "не доставлен"),
    "chunk.pending": Word("waiting", "ожидает"),
    "chunk.sending": Word("retrying", "повторяется"),
    "chunk.sent": Word("sent", "доставлена"),
    "chunk.failed": Word("failed", "не доставлена"),
    "row.pending": Word("pending", "ожидает"),
    "row.created": Word("created", "создан"),
    "row.updated": Word("updated", "обновлён"),
    "row.unchanged": Word("unchanged", "без изменений"),
    "row.rejected": Word("rejected", "отклонён"),
    "row.failed": Word("failed", "не доставлен"),
    "row.unsupported": Word("unsupported", "не поддержан"),
    "row.unknown": Word("unknown", "неизвестно"),
    "destination.well": Word("well", "в порядке"),
    "destination.paused": Word("paused", "приостановлено"),
    "destination.open": Word("not answering", "не отвечает"),
    "destination.half_open": Word("being tried", "проверяется"),
}

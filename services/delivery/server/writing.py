"""Domain to wire. Secrets are not part of what is written here."""

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from contactsync.delivery.v1 import dead_letter_pb2, destination_pb2
from contactsync.delivery.v1 import delivery_service_pb2 as wire
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from libs.stamps import stamp_of
from services.delivery.domain.dead_letter import DEAD, DeadLetter
from services.delivery.domain.delivery import Attempt
from services.delivery.domain.destination import Destination, RetrySchedule
from services.delivery.domain.replay import Replay
from services.delivery.domain.watch import Watch
from services.delivery.handler.operate import Overview, Preview
from services.delivery.ports.operating import Probed
from services.delivery.server.reading import KIND

MOST_BODY = 1024 * 1024
MOST_ANSWERS = 2 * 1024 * 1024


def write_destination(destination: Destination) -> destination_pb2.Destination:
    """Write a destination, of its secrets only which there are."""
    tags, success = destination.tags, destination.success
    return destination_pb2.Destination(
        id=destination.destination_id,
        name=destination.name,
        kind=KIND[destination.kind],
        url=destination.url,
        retry=_retry(destination.retry),
        paused=destination.paused,
        pause_reason=destination.pause_reason,
        idempotent=destination.idempotent,
        created_at=stamp_of(destination.created_at),
        chunk_size=destination.chunk_size,
        concurrency=destination.concurrency,
        rate=destination.rate,
        header_names=sorted(destination.headers),
        tags=destination_pb2.TagFilter(any_of=tags.any_of, none_of=tags.none_of),
        success=destination_pb2.SuccessRule(
            statuses=success.statuses, body_field=success.body_field, body_equals=success.body_equals
        ),
        enterprise_id=destination.enterprise_id,
        fields=dict(destination.fields),
        lead_status=destination.lead_status,
        credentials=_credentials(destination),
        old_secrets_until=_optional(destination.old_secrets_until),
    )


def write_overview(overview: Overview) -> wire.GetDestinationResponse:
    """Write a destination and how it fares."""
    return wire.GetDestinationResponse(
        destination=write_destination(overview.destination),
        waiting=overview.waiting.count,
        oldest_waiting_at=_optional(overview.waiting.oldest_at),
        health=destination_pb2.DestinationHealth(
            breaker=overview.health.breaker.value,
            pace=overview.health.rate_now,
            next_attempt_at=_optional(overview.next_attempt_at),
            last_errors=map(_failed_attempt, overview.last_errors),
        ),
        dead_letters=overview.dead_letters,
    )


def write_watch(watch: Watch) -> wire.GetHealthResponse:
    """Write what the watchdog sees."""
    return wire.GetHealthResponse(
        conditions=[condition.value for condition in watch.conditions],
        late=watch.late.count,
        never_tried=watch.late.never_tried,
        oldest_due_at=_optional(watch.late.oldest_due_at),
        tickets=watch.tickets,
    )


def write_attempts(attempts: Sequence[Attempt]) -> list[wire.Attempt]:
    """Write tries, oldest first; of what came back only so much, of the latest, that it fits in an answer."""
    room, written = MOST_ANSWERS, deque[wire.Attempt]()
    for attempt in reversed(attempts):
        one = write_attempt(attempt)
        room -= len(one.answer_body.encode())
        if room < 0:
            one.ClearField("answer_body")
        written.appendleft(one)
    return list(written)


def write_job_attempt(attempt: Attempt) -> wire.JobAttempt:
    """Write a try with where it went."""
    return wire.JobAttempt(
        chunk_index=int(attempt.key.chunk_id.rpartition(".")[2]),
        chunk_id=attempt.key.chunk_id,
        destination_id=attempt.key.destination_id,
        attempt=write_attempt(attempt),
    )


def write_attempt(attempt: Attempt) -> wire.Attempt:
    """Write a try."""
    return wire.Attempt(
        round=attempt.key.round,
        number=attempt.number,
        started_at=stamp_of(attempt.started_at),
        duration_s=attempt.duration.total_seconds(),
        response_status_code=attempt.status,
        error_message=attempt.message,
        answer_body=attempt.answer,
    )


def write_probed(probed: Probed) -> wire.TestDestinationResponse:
    """Write how a destination answered."""
    return wire.TestDestinationResponse(
        ok=probed.ok,
        response_status_code=probed.status,
        duration_s=probed.took.total_seconds(),
        error_message=probed.message,
        answer_body=probed.body.decode("utf-8", "replace"),
    )


def write_preview(preview: Preview) -> wire.PreviewDestinationResponse:
    """Write what would be sent."""
    requests = [
        wire.PreviewedRequest(
            method=each.method,
            url=each.url,
            headers=dict(each.headers),
            body=each.body[:MOST_BODY].decode("utf-8", "replace"),
        )
        for each in preview.requests
    ]
    return wire.PreviewDestinationResponse(requests=requests, contacts=preview.contacts, filtered=preview.filtered)


def write_letter(letter: DeadLetter) -> dead_letter_pb2.DeadLetter:
    """Write a dead letter."""
    written = dead_letter_pb2.DeadLetter(
        chunk_id=letter.chunk_id,
        position=letter.position,
        job_id=letter.job_id,
        state=DEAD[letter.state],
        reason=letter.reason,
        response_status_code=letter.status,
        at=stamp_of(letter.at),
        round=letter.round,
    )
    if letter.closing is not None:
        written.closed_as = letter.closing.closed_as.value
        written.closed_at.CopyFrom(stamp_of(letter.closing.at))
        written.closed_by = letter.closing.by
        written.closed_because = letter.closing.reason
    return written


def write_replay(replay: Replay) -> dead_letter_pb2.Replay:
    """Write a replay."""
    return dead_letter_pb2.Replay(
        id=replay.replay_id,
        destination_id=replay.destination_id,
        created_at=stamp_of(replay.created_at),
        created_by=replay.created_by,
        state="running" if replay.completed_at is None else "completed",
        total=replay.total,
        done=replay.done,
        failed=replay.failed,
        skipped=replay.skipped,
        completed_at=_optional(replay.completed_at),
    )


def _optional(moment: datetime | None) -> Timestamp | None:
    return None if moment is None else stamp_of(moment)


def _credentials(destination: Destination) -> Iterator[str]:
    if destination.secrets:
        yield "secret"
    if destination.credentials.token:
        yield "token"
    if destination.credentials.api_key:
        yield "api_key"


def _failed_attempt(attempt: Attempt) -> destination_pb2.FailedAttempt:
    return destination_pb2.FailedAttempt(
        chunk_id=attempt.key.chunk_id,
        started_at=stamp_of(attempt.started_at),
        response_status_code=attempt.status,
        error_message=attempt.message,
    )


def _retry(retry: RetrySchedule) -> destination_pb2.RetrySchedule:
    return destination_pb2.RetrySchedule(
        first_delay=_duration(retry.first_delay),
        max_delay=_duration(retry.max_delay),
        max_attempts=retry.max_attempts,
        timeout=_duration(retry.timeout),
    )


def _duration(span: timedelta) -> Duration:
    written = Duration()
    written.FromTimedelta(span)
    return written

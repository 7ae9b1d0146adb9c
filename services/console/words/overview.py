"""What the overview says."""

from services.console.words.speaking import Word

WORDS = {
    "overview.title": Word("Overview", "Обзор"),
    "overview.health": Word("Services", "Сервисы"),
    "overview.serves": Word("serves", "работает"),
    "overview.silent": Word("does not serve", "не работает"),
    "overview.destinations": Word("Destinations", "Назначения"),
    "overview.destination": Word("Destination", "Назначение"),
    "overview.state": Word("State", "Состояние"),
    "overview.backlog": Word("Backlog", "Очередь"),
    "overview.oldest": Word("Oldest undelivered", "Самая старая недоставленная"),
    "overview.dead_letters": Word("Dead letters", "Недоставленные"),
    "overview.latest": Word("Latest imports", "Последние импорты"),
    "overview.all_imports": Word("All imports", "Все импорты"),
    "destination.well": Word("well", "в порядке"),
    "destination.paused": Word("paused", "приостановлено"),
    "destination.open": Word("not answering", "не отвечает"),
    "destination.half_open": Word("being tried", "проверяется"),
}

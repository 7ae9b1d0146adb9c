"""What the list of imports and the page of one say."""

from services.console.words.speaking import Word

WORDS = {
    "imports.title": Word("Imports", "Импорты"),
    "imports.job": Word("Import", "Импорт"),
    "imports.state": Word("State", "Состояние"),
    "imports.client": Word("Client", "Клиент"),
    "imports.rows": Word("Rows", "Строк"),
    "imports.invalid": Word("Rejected", "Отклонено"),
    "imports.accepted_at": Word("Accepted", "Принят"),
    "imports.correlation": Word("Correlation id", "Корреляция"),
    "imports.none": Word("No imports.", "Импортов нет."),
}

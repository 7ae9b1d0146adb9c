"""What every form says."""

from services.console.words.speaking import Word

WORDS = {
    "form.save": Word("Save", "Сохранить"),
    "form.cancel": Word("Cancel", "Отмена"),
    "form.secret_stays": Word("Leave empty to keep the present one.", "Оставьте пустым, чтобы не менять."),
    "form.not_a_number": Word("This is not a number:", "Это не число:"),
    "span.milliseconds": Word("{n} ms", "{n} мс"),
}

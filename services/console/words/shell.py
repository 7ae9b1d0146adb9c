"""What every page says."""

from services.console.words.speaking import Word

WORDS = {
    "shell.product": Word("contactsync", "contactsync"),
    "shell.skip": Word("Skip to the content", "К содержанию"),
    "shell.navigation": Word("Pages", "Страницы"),
    "shell.overview": Word("Overview", "Обзор"),
    "shell.imports": Word("Imports", "Импорты"),
    "shell.destinations": Word("Destinations", "Назначения"),
    "shell.sources": Word("Sources", "Источники"),
    "shell.clients": Word("Clients", "Клиенты"),
    "shell.sign_out": Word("Sign out", "Выйти"),
    "shell.language": Word("Language", "Язык"),
    "shell.live": Word("Live", "Обновляется"),
    "shell.paused": Word("Not live: the connection is lost", "Не обновляется: связь потеряна"),
    "shell.trace": Word("Trace", "Трасса"),
    "shell.trace_of": Word("Trace of {id} in Jaeger", "Трасса {id} в Jaeger"),
    "shell.next": Word("Next page", "Дальше"),
    "shell.first": Word("First page", "К началу"),
    "shell.back": Word("Back", "Назад"),
    "shell.none": Word("none", "нет"),
    "shell.never": Word("never", "никогда"),
    "shell.utc": Word("Times are UTC", "Время — UTC"),
    "when.now": Word("now", "сейчас"),
    "when.ago": Word("{span} ago", "{span} назад"),
    "when.in": Word("in {span}", "через {span}"),
    "span.milliseconds": Word("{n} ms", "{n} мс"),
    "span.seconds": Word("{n} s", "{n} с"),
    "span.minutes": Word("{n} min", "{n} мин"),
    "span.hours": Word("{n} h", "{n} ч"),
    "span.days": Word("{n} d", "{n} д"),
    "fault.title": Word("That did not work", "Не получилось"),
    "fault.not_found": Word(
        "There is no such page, or what it was about is gone.", "Такой страницы нет, или того, о чём она, больше нет."
    ),
    "fault.unavailable": Word(
        "A part of the hub does not answer now. Try again in a moment; the overview shows which.",
        "Часть системы сейчас не отвечает. Повторите чуть позже; в обзоре видно, какая.",
    ),
    "fault.forbidden": Word("Your key does not allow this.", "Ваш ключ этого не позволяет."),
    "fault.refused": Word("The hub refused: {message}", "Система отказала: {message}"),
    "fault.form": Word(
        "This form is not from your session any more. Go back, reload the page and try again; nothing was changed.",
        "Эта форма уже не из вашего сеанса. Вернитесь, обновите страницу и повторите; ничего не изменено.",
    ),
    "fault.verb": Word("This page cannot be used that way.", "Эту страницу нельзя использовать так."),
    "fault.broken": Word(
        "The console made a mistake. It is in its log, with the correlation id {id}.",
        "В консоли ошибка. Она в журнале, идентификатор корреляции {id}.",
    ),
}

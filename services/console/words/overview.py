"""What the overview says."""

from services.console.words.speaking import Word

WORDS = {
    "overview.title": Word("Overview", "Обзор"),
    "overview.rate": Word("Rows a minute", "Строк в минуту"),
    "overview.hour": Word(
        "{n} row in the last hour|{n} rows in the last hour", "{n} строка за час|{n} строки за час|{n} строк за час"
    ),
    "overview.rejected": Word("Rejected rows", "Отклонено строк"),
    "overview.rejected_share": Word("{share} % of the last hour", "{share} % за последний час"),
    "overview.unfinished": Word("Undelivered", "Не доставлено"),
    "overview.unfinished_hint": Word("deliveries under way or waiting", "доставок в работе или в очереди"),
    "overview.oldest": Word("Oldest undelivered", "Самая старая недоставленная"),
    "overview.nothing_waits": Word("nothing waits", "ничего не ждёт"),
    "overview.dead_letters": Word("Dead letters", "Недоставленные строки"),
    "overview.dead_letters_hint": Word("rows that nobody tries again unasked", "строк, которые сами не повторятся"),
    "overview.traffic": Word("The last hour", "Последний час"),
    "overview.traffic_told": Word(
        "Rows minute by minute over the last hour: {rows} accepted, {done} done; the busiest minute had {most}.",
        "Строки по минутам за последний час: принято {rows}, завершено {done}; в самую занятую минуту {most}.",
    ),
    "overview.accepted_line": Word("accepted", "принято"),
    "overview.completed_line": Word("done", "завершено"),
    "overview.most": Word("{n} at most", "не больше {n}"),
    "overview.hour_ago": Word("an hour ago", "час назад"),
    "overview.now": Word("now", "сейчас"),
    "overview.health": Word("Services", "Сервисы"),
    "overview.serves": Word("serves", "работает"),
    "overview.silent": Word("does not serve", "не работает"),
    "overview.away": Word("Not known: {service} does not answer.", "Неизвестно: сервис {service} не отвечает."),
    "overview.destinations": Word("Destinations", "Назначения"),
    "overview.latest": Word("Latest imports", "Последние импорты"),
    "overview.all_imports": Word("All imports", "Все импорты"),
    "condition.deliveries_late": Word(
        "{n} delivery is late by more than a minute|{n} deliveries are late by more than a minute",
        "{n} доставка опаздывает больше чем на минуту|{n} доставки опаздывают больше чем на минуту"
        "|{n} доставок опаздывают больше чем на минуту",
    ),
    "condition.deliveries_never_tried": Word(
        "{n} delivery of five minutes ago was never tried|{n} deliveries of five minutes ago were never tried",
        "{n} доставка пришла пять минут назад и ни разу не пробовалась"
        "|{n} доставки пришли пять минут назад и ни разу не пробовались"
        "|{n} доставок пришли пять минут назад и ни разу не пробовались",
    ),
    "condition.tickets_lagging": Word("The bus lags behind.", "Шина отстаёт."),
    "condition.bus_unheard": Word("The bus is not heard.", "Шина не отвечает."),
}

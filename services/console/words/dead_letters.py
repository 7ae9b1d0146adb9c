"""What the pages of dead letters say."""

from services.console.words.speaking import Word

WORDS = {
    "dead_letters.title": Word("Dead letters of {name}", "Недоставленные: «{name}»"),
    "dead_letters.means": Word(
        "Rows that the destination did not take, and that nobody tries again unasked.",
        "Строки, которые назначение не приняло и которые сами больше не отправляются.",
    ),
    "dead_letters.state": Word("State", "Состояние"),
    "dead_letters.any": Word("any", "любое"),
    "dead_letters.job": Word("Import", "Импорт"),
    "dead_letters.saying": Word("Reason contains", "Причина содержит"),
    "dead_letters.closed_too": Word("Closed ones, too", "И закрытые"),
    "dead_letters.narrow": Word("Show", "Показать"),
    "dead_letters.choose": Word("Choose", "Выбор"),
    "dead_letters.choose_row": Word("Choose {row}", "Выбрать {row}"),
    "dead_letters.row": Word("Row", "Строка"),
    "dead_letters.row_of_chunk": Word("Row {row} of chunk {chunk}", "Строка {row} порции {chunk}"),
    "dead_letters.reason": Word("Reason", "Причина"),
    "dead_letters.answer": Word("Answer", "Ответ"),
    "dead_letters.since": Word("Since", "С какого времени"),
    "dead_letters.import": Word("Import", "Импорт"),
    "dead_letters.chunk": Word("Chunk", "Порция"),
    "dead_letters.correlation": Word("Correlation id", "Корреляция"),
    "dead_letters.round": Word("Round", "Круг"),
    "dead_letters.closed": Word("Closed", "Закрыта"),
    "dead_letters.which": Word("Which", "Какие"),
    "dead_letters.of_chosen": Word("The chosen rows", "Выбранные строки"),
    "dead_letters.of_all": Word("All that the list shows, on every page", "Все из списка, на всех страницах"),
    "dead_letters.repeat_unknown": Word(
        "Send unknown ones, too, although they may have arrived",
        "Отправить и те, о которых неизвестно, хотя они могли дойти",
    ),
    "dead_letters.replay": Word("Replay", "Отправить снова"),
    "dead_letters.discard": Word("Discard…", "Закрыть…"),
    "dead_letters.arrived": Word("They had arrived…", "Они дошли…"),
    "dead_letters.lost": Word("They had not arrived…", "Они не дошли…"),
    "dead_letters.none": Word("There are none.", "Таких нет."),
    "dead_letters.none_chosen": Word(
        "Choose rows first, or all of the list.", "Сначала выберите строки или весь список."
    ),
    "dead_letters.nothing_to_replay": Word(
        "None of these can be sent again as they are: unknown ones only when you say so, closed ones never.",
        "Ни одну из них нельзя отправить снова: неизвестные — только с отметкой, закрытые — никогда.",
    ),
    "dead_letters.one_title": Word("Row {row}", "Строка {row}"),
    "dead_letters.tries": Word("Tries of its delivery", "Попытки её доставки"),
    "dead_letters.try": Word("Try", "Попытка"),
    "dead_letters.so_many": Word("{n} row|{n} rows", "{n} строка|{n} строки|{n} строк"),
    "dead_letters.all_that_pass": Word("All open ones that the list shows", "Все открытые из списка"),
    "dead_letters.why": Word("Why, for whoever looks later", "Почему — для тех, кто посмотрит потом"),
    "dead_letters.discard_title": Word("Discard dead letters?", "Закрыть недоставленные?"),
    "dead_letters.discard_means": Word(
        "They leave the list for good and keep their state. Who discarded them, when and why stays on record.",
        "Они навсегда уходят из списка, состояние остаётся. Кто, когда и почему закрыл — сохраняется.",
    ),
    "dead_letters.discard_now": Word("Discard", "Закрыть"),
    "dead_letters.arrived_title": Word("They had arrived?", "Они дошли?"),
    "dead_letters.arrived_means": Word(
        "Unknown ones count as delivered from now on and leave the list.",
        "Неизвестные будут считаться доставленными и уйдут из списка.",
    ),
    "dead_letters.arrived_now": Word("They had arrived", "Они дошли"),
    "dead_letters.lost_title": Word("They had not arrived?", "Они не дошли?"),
    "dead_letters.lost_means": Word(
        "Unknown ones become failed, and can be replayed without a doubt.",
        "Неизвестные станут недоставленными, их можно смело отправить снова.",
    ),
    "dead_letters.lost_now": Word("They had not arrived", "Они не дошли"),
    "closed.discarded": Word("discarded", "закрыта"),
    "closed.delivered": Word("had arrived", "дошла"),
    "done.replay_started": Word(
        "A replay of {n} row has begun.|A replay of {n} rows has begun.",
        "Отправляется снова {n} строка.|Отправляются снова {n} строки.|Отправляется снова {n} строк.",
    ),
    "done.discard": Word(
        "{n} row is discarded.|{n} rows are discarded.", "Закрыта {n} строка.|Закрыты {n} строки.|Закрыто {n} строк."
    ),
    "done.arrived": Word(
        "{n} row counts as delivered.|{n} rows count as delivered.",
        "Считается доставленной {n} строка.|Считаются доставленными {n} строки.|Считаются доставленными {n} строк.",
    ),
    "done.lost": Word(
        "{n} row can be replayed now.|{n} rows can be replayed now.",
        "{n} строку можно отправить снова.|{n} строки можно отправить снова.|{n} строк можно отправить снова.",
    ),
}

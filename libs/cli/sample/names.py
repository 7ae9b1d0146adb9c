"""Russian names from word lists: a given name, and a family name in the same gender."""

import random
from collections.abc import Iterator
from typing import Final


def _words(text: str) -> list[str]:
    return text.split()


_MEN: Final = _words(
    "Александр Алексей Андрей Антон Артём Борис Вадим Василий Виктор Глеб Григорий Дмитрий Евгений Иван Игорь "
    "Илья Кирилл Константин Лев Максим Михаил Никита Олег Павел Пётр Роман Семён Сергей Фёдор Юрий"
)
_WOMEN: Final = _words(
    "Алина Алла Анастасия Анна Валентина Варвара Вера Виктория Галина Дарья Евгения Екатерина Елена Зоя Инна "
    "Ирина Ксения Лариса Любовь Людмила Марина Мария Надежда Наталья Ольга Полина Светлана София Татьяна Юлия"
)
# A woman's family name takes an -а.
_FAMILIES: Final = _words(
    "Андреев Беляев Виноградов Волков Воробьёв Голубев Григорьев Егоров Зайцев Захаров Иванов Калинин Киселёв "
    "Ковалёв Козлов Комаров Кузнецов Лебедев Макаров Медведев Морозов Никитин Новиков Орлов Павлов Петров "
    "Попов Романов Семёнов Сидоров Смирнов Соколов Соловьёв Степанов Тарасов Фёдоров Фролов Щукин Яковлев"
)
_LATIN: Final = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        _words("a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya"),
        strict=True,
    )
)


def names(seed: int) -> Iterator[tuple[str, str]]:
    """Yield (first name, last name), no pair twice, until they are used up: some 2,300 of them."""
    pairs = [(first, last) for first in _MEN for last in _FAMILIES]
    pairs += [(first, f"{last}а") for first in _WOMEN for last in _FAMILIES]
    random.Random(seed).shuffle(pairs)  # noqa: S311 - a sample, not a secret
    yield from pairs


def latin(name: str) -> str:
    """The name in the letters of an e-mail address."""
    return "".join(_LATIN.get(letter, letter) for letter in name.lower()).replace("-", "")

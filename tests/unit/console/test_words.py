"""Everything is said in both languages, and everything that is said there is."""

import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import services.console
from services.console.words import WORDS, Language, Speaker, choose_language

ROOM = Path(services.console.__file__).parent
_SAID = re.compile(r"""say(?:\.count)?\(\s*["']([a-z_]+\.[a-z_]+)["']""")
_DONE = re.compile(r"""["'](done\.[a-z_]+)["']""")
_CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)


def said() -> Iterator[tuple[str, str]]:
    for path in sorted([*ROOM.rglob("*.html"), *ROOM.rglob("*.py")]):
        text = path.read_text()
        found = [*_SAID.findall(text), *(_DONE.findall(text) if path.parent.name == "pages" else [])]
        yield from ((path.name, word) for word in found)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_every_word_that_is_said_there_is() -> None:
    """One that ends in _ is the beginning of several."""
    begun = {word[: place + 1] for word in WORDS for place, sign in enumerate(word) if sign == "_"}

    assert {(where, word) for where, word in said() if word not in WORDS and word not in begun} == set()


@pytest.mark.parametrize("key", sorted(WORDS))
def test_word_has_the_same_places_in_both_languages_and_all_forms_of_a_count(key: str) -> None:
    word = WORDS[key]
    english, russian = word.english.split("|"), word.russian.split("|")

    assert places(word.english) == places(word.russian)
    assert (len(english), len(russian)) in {(1, 1), (2, 3), (2, 1), (1, 3)}
    assert not _CYRILLIC.search(word.english)
    assert word.english.strip()
    assert word.russian.strip()


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "0 строк"), (1, "1 строка"), (2, "2 строки"), (5, "5 строк"), (11, "11 строк"), (12, "12 строк"),
     (21, "21 строка"), (104, "104 строки"), (111, "111 строк"), (1002, "1\u00a0002 строки")],
)  # fmt: skip
def test_russian_counts_as_russians_do(number: int, told: str) -> None:
    say = Speaker(Language.RUSSIAN, WORDS)

    assert say.count("done.rows_retried", number).startswith(told)


def test_english_counts_one_and_many() -> None:
    say = Speaker(Language.ENGLISH, WORDS)

    assert say.count("done.rows_retried", 1) == "1 row is tried again."
    assert say.count("done.rows_retried", 12345) == "12,345 rows are tried again."


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", Language.ENGLISH),
        ("", "ru", Language.RUSSIAN),
        ("", "RU-ru, en", Language.RUSSIAN),
        ("", "de, fr;q=0.5", Language.ENGLISH),
        ("", "de, ru;q=0.5, en;q=0.1", Language.RUSSIAN),
        ("en", "ru", Language.ENGLISH),
        ("xx", "ru", Language.RUSSIAN),
    ],
)
def test_the_chosen_language_comes_before_the_browsers(chosen: str, accepted: str, language: Language) -> None:
    assert choose_language(chosen, accepted) is language

"""A language, a word in each, and who says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never


class Language(Enum):
    """The value is the tag of the language."""

    ENGLISH = "en"
    RUSSIAN = "ru"


@dataclass(frozen=True, slots=True)
class Word:
    """A text in each language, with {places}; of a counted one, a form for each kind of number, split by |.

    English has two forms, Russian three: "{n} row|{n} rows" and "{n} строка|{n} строки|{n} строк".
    """

    english: str
    russian: str


class Speaker:
    """Says words in one language. KeyError for a word that there is not: a test finds those."""

    def __init__(self, language: Language, words: Mapping[str, Word]) -> None:
        self.language = language
        self._words = words

    def __call__(self, key: str, **places: object) -> str:
        """The word, with its places filled."""
        return self._text(key).format(**places)

    def count(self, key: str, number: int) -> str:
        """The counted word for this number, which goes into its place {n}."""
        forms = self._text(key).split("|")
        return forms[self._form(number)].format(n=self.number(number))

    def knows(self, key: str) -> bool:
        """Whether there is such a word."""
        return key in self._words

    def number(self, number: float) -> str:
        """With thousands apart: 12,345 or 12 345."""
        text = f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"
        match self.language:
            case Language.ENGLISH:
                return text
            case Language.RUSSIAN:
                return text.replace(",", "\u00a0").replace(".", ",")
            case _:
                assert_never(self.language)

    def _text(self, key: str) -> str:
        word = self._words[key]
        match self.language:
            case Language.ENGLISH:
                return word.english
            case Language.RUSSIAN:
                return word.russian
            case _:
                assert_never(self.language)

    def _form(self, number: int) -> int:
        match self.language:
            case Language.ENGLISH:
                return 0 if number == 1 else 1
            case Language.RUSSIAN:
                return _russian_form(number)
            case _:
                assert_never(self.language)


def _russian_form(number: int) -> int:
    if number % 10 == 1 and number % 100 != 11:
        return 0
    return 1 if number % 10 in {2, 3, 4} and number % 100 not in {12, 13, 14} else 2


def choose_language(chosen: str, accepted: str) -> Language:
    """The one that was chosen, else the first that an Accept-Language header names, else English."""
    known = {language.value: language for language in Language}
    if chosen in known:
        return known[chosen]
    names = [each.partition(";")[0].strip().lower().partition("-")[0] for each in accepted.split(",")[:20]]
    return next((known[name] for name in names if name in known), Language.ENGLISH)

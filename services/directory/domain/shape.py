"""Reads a JSON object that somebody wrote by hand, and gathers everything that is wrong with it."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong where: a JSON Pointer (RFC 6901) and a sentence that says what would be right."""

    pointer: str
    message: str


class BadShape(ValueError):
    """The document breaks its rules."""

    reason = "VALIDATION_ERROR"
    message = "The document is not of the agreed shape."

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = tuple(problems)


def _folded(word: str) -> str:
    return word.casefold().replace("_", "")


class Shape:
    """One object of the document. What is missing or wrong reads as the default, and is told when it is closed."""

    def __init__(
        self, given: Mapping[str, object], *, pointer: str = "", problems: list[Problem] | None = None
    ) -> None:
        self._given = given
        self._pointer = pointer
        self._problems: list[Problem] = [] if problems is None else problems

    def refuse(self, pointer: str, message: str) -> None:
        """Notes a problem at a place under this object."""
        self._problems.append(Problem(self._pointer + pointer, message))

    def close(self) -> None:
        """Raises BadShape when there was anything."""
        if self._problems:
            raise BadShape(self._problems)

    def has(self, key: str) -> bool:
        """Whether it is there, and not null."""
        return self._given.get(key) is not None

    def only(self, known: Collection[str]) -> None:
        """No other keys than these."""
        for key in self._given:
            if key not in known:
                self.refuse(f"/{_escaped(key)}", f"Unknown key; known are {', '.join(sorted(known))}.")

    def text(self, key: str, default: str | None, *, like: re.Pattern[str] | None = None, wanted: str = "") -> str:
        """A text of at most 256 characters; without a default it must be there and not be blank."""
        value = self._given.get(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
            self.refuse(f"/{key}", f"A text of at most {_LONGEST} characters is wanted.")
        elif like is not None and not like.fullmatch(value):
            self.refuse(f"/{key}", f"Wanted: {wanted}.")
        elif default is None and not value.strip():
            self.refuse(f"/{key}", "It must not be blank.")
        else:
            return value
        return default or ""

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """A whole number within the limits."""
        value = self._given.get(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.refuse(f"/{key}", f"A whole number from {least} to {most} is wanted.")
            return default
        return value

    def flag(self, key: str) -> bool:
        """True or false; absent is false."""
        value = self._given.get(key)
        if value is not None and not isinstance(value, bool):
            self.refuse(f"/{key}", "true or false is wanted.")
        return value is True

    def choice(self, key: str, choices: Mapping[str, T], default: T) -> T:
        """One of the words, whatever its case; `ACTIVE_USERS` is `activeUsers`."""
        value = self._given.get(key)
        if value is None:
            return default
        folded = {_folded(word): choice for word, choice in choices.items()}
        if not isinstance(value, str) or _folded(value) not in folded:
            self.refuse(f"/{key}", f"Wanted is one of {', '.join(choices)}.")
            return default
        return folded[_folded(value)]

    def texts(self, key: str, default: Sequence[str] = ()) -> list[str]:
        """A list of texts that differ and are not blank."""
        value = self._given.get(key)
        if value is None:
            return list(default)
        if not isinstance(value, list):
            self.refuse(f"/{key}", "A list of texts is wanted.")
            return list(default)
        return [text for place, text in enumerate(value) if self._is_text(text, f"/{key}/{place}", value[:place])]

    def inner(self, key: str) -> "Shape":
        """An object; absent is empty."""
        value = self._given.get(key)
        if value is not None and not isinstance(value, dict):
            self.refuse(f"/{key}", "An object is wanted.")
        return self._inner(value if isinstance(value, dict) else {}, f"/{key}")

    def objects(self, key: str, *, texts_as: str = "") -> Iterator["Shape"]:
        """A list of objects; with `texts_as` a text stands for the object that has it under that key."""
        value = self._given.get(key)
        if value is not None and not isinstance(value, list):
            self.refuse(f"/{key}", "A list of objects is wanted.")
        for place, each in enumerate(value if isinstance(value, list) else []):
            if isinstance(each, dict):
                yield self._inner(each, f"/{key}/{place}")
            elif texts_as and isinstance(each, str):
                yield self._inner({texts_as: each}, f"/{key}/{place}")
            else:
                self.refuse(f"/{key}/{place}", "An object is wanted.")

    def _inner(self, given: Mapping[str, object], pointer: str) -> "Shape":
        return Shape(given, pointer=self._pointer + pointer, problems=self._problems)

    def _is_text(self, text: object, pointer: str, before: Sequence[object]) -> bool:
        if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST or "\0" in text:
            self.refuse(pointer, f"A text of 1 to {_LONGEST} characters is wanted.")
            return False
        if text in before:
            self.refuse(pointer, "It is there twice.")
            return False
        return True


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")

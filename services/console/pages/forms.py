"""Forms that change what is there: only what the operator changed goes out, so that two do not undo each other.

A field `name` has a twin `was.name`, which holds what the field held when the page was made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from libs.rpc import PeerRefused

T = TypeVar("T")

_MENDABLE = {"VALIDATION_ERROR", "STATE_CONFLICT"}


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a form was not taken: in the service's words, and field by field."""

    message: str
    violations: Sequence[tuple[str, str]] = ()
    """Pointer and message."""


class NotANumber(Exception):
    """A field holds a text where a number belongs."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Changed:
    """The fields of a form that were changed."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = {name: value.strip() for name, value in form.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._form and self._form[name] != self._form.get(f"was.{name}", "")

    def text(self, name: str) -> str | None:
        """None: it is as it was."""
        return self._form[name] if name in self else None

    def yes(self, name: str) -> bool | None:
        """Of a choice between yes and no. None: it is as it was."""
        return self._form[name] == "yes" if name in self else None

    def whole(self, name: str) -> int | None:
        """None: it is as it was. Raises NotANumber."""
        return self._read(name, int)

    def number(self, name: str) -> float | None:
        """None: it is as it was. Raises NotANumber."""
        return self._read(name, float)

    def span(self, name: str) -> timedelta | None:
        """Of seconds. None: it is as it was. Raises NotANumber."""
        return self._read(name, lambda text: timedelta(seconds=float(text)))

    def _read(self, name: str, read: Callable[[str], T]) -> T | None:
        if name not in self:
            return None
        try:
            return read(self._form[name].replace(",", "."))
        except (ValueError, OverflowError):
            raise NotANumber(name) from None


def objection_of(error: PeerRefused) -> Objection:
    """What the operator can mend in the form. Raises the error when it is none of that."""
    if error.reason not in _MENDABLE:
        raise error
    return Objection(error.message, [(each.pointer, each.message) for each in error.violations])


def chosen(form: Mapping[str, str], prefix: str) -> list[str]:
    """What was ticked of the boxes whose names begin so, without that beginning."""
    return [name.removeprefix(prefix) for name in form if name.startswith(prefix)]

"""A value as a field of its type shows it, through whatever entrance it came.

An import, connect or an operator writes what it likes: `"4"` for a rating, `2026-11-22` for a date. What reads as a
value of the type is shown as one; what does not is kept, and not shown.
"""

from collections.abc import Callable, Mapping
from math import isfinite

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.moments import read_foreign_moment, to_millis
from services.directory.domain.telecrm.values import NUMERIC, digits_of

_WHOLE = 2**53
"""Above it a number with a point is no whole one for sure."""


def shown_value(value: object, type: FieldType) -> object | None:  # noqa: A002 - the contract's name for it
    """The value; None when a field of the type cannot show it."""
    return _SHOWERS.get(type, _text)(value)


def _text(value: object) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _phone(value: object) -> str | None:
    return digits_of(value) if isinstance(value, str) else None


def _number(value: object) -> int | float | None:
    if isinstance(value, str) and NUMERIC.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) else None


def _rating(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number in range(1, 6) else None


def _date(value: object) -> int | None:
    moment = read_foreign_moment(value)
    return None if moment is None else to_millis(moment)


def _money(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip() if NUMERIC.fullmatch(value.strip()) else None
    number = _number(value)
    return None if number is None else str(int(number) if number == int(number) and abs(number) < _WHOLE else number)


def _tags(value: object) -> list[str] | None:
    given = value if isinstance(value, list) else [value]
    return [text for each in given if (text := _text(each))] or None


_SHOWERS: Mapping[FieldType, Callable[[object], object | None]] = {
    FieldType.PHONE: _phone,
    FieldType.NUMBER: _number,
    FieldType.RATING: _rating,
    FieldType.DATE: _date,
    FieldType.MONEY: _money,
    FieldType.TAGS: _tags,
}

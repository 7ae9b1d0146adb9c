"""Parameters of a contact source: whole numbers within bounds, or refused."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

USUAL_LIMIT: Final = 100
MOST: Final = 1000
_LAST_PAGE: Final = 1_000_000_000
_LAST_SECOND: Final = 99_999_999_999
"""In the year 5138: a time in milliseconds is beyond it."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Unfit:
    """A parameter is refused; the message names it and says what would be right."""

    message: str


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page, from 1, and how much is on one."""

    limit: int
    page: int


def read_paging(limit: str | None, page: str | None) -> Paging | Unfit:
    """None: not given. A page past the last one is a page."""
    size = _whole(limit, USUAL_LIMIT, least=1, most=MOST)
    if size is None:
        return Unfit(f"limit must be a whole number from 1 to {MOST}")
    number = _whole(page, 1, least=1, most=_LAST_PAGE)
    if number is None:
        return Unfit(f"page must be a whole number from 1 to {_LAST_PAGE}")
    return Paging(size, number)


def read_since(timestamp: str | None) -> datetime | Unfit:
    """The beginning of that second."""
    seconds = _whole(timestamp, None, least=0, most=_LAST_SECOND)
    if seconds is None:
        return Unfit("timestamp is needed: a UNIX time in whole seconds")
    return _EPOCH + timedelta(seconds=seconds)


def _whole(text: str | None, otherwise: int | None, *, least: int, most: int) -> int | None:
    if text is None:
        return otherwise
    number = int(text) if _DIGITS.fullmatch(text) else -1
    return number if least <= number <= most else None

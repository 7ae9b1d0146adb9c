"""Dates as the telecrm APIs take them: milliseconds since 1970, or the workspace's format, day first, in UTC."""

import re
from datetime import UTC, datetime, time, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_LATEST = (datetime(9999, 12, 30, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)
_MILLIS = re.compile(r"-?[0-9]{1,15}")
_WRITTEN = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?")


def to_millis(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def read_moment(value: object, *, end_of_day: bool = False) -> datetime | None:
    """The moment; None when it is none. `end_of_day`: a date without a time means its last microsecond."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _EPOCH + timedelta(milliseconds=value) if _EARLIEST <= value <= _LATEST else None
    if not isinstance(value, str):
        return None
    match = _WRITTEN.fullmatch(value)
    return None if match is None else _written(match, end_of_day=end_of_day)


def read_foreign_moment(value: object) -> datetime | None:
    """As `read_moment`; also ISO 8601, in UTC unless it says otherwise, and milliseconds as a text or with a point."""
    if isinstance(value, float):
        return read_moment(int(value)) if value.is_integer() else None
    if not isinstance(value, str):
        return read_moment(value)
    text = value.strip()
    if _MILLIS.fullmatch(text):
        return read_moment(int(text))
    return read_moment(text) or (_iso(text) if "-" in text else None)


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if _EARLIEST <= to_millis(moment) <= _LATEST else None


def written_forms(moment: datetime) -> list[str]:
    """How other entrances may have written the moment, other than in milliseconds."""
    day = [f"{moment:%Y-%m-%d}", f"{moment:%d/%m/%Y}"] if moment.time() == time.min else []
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return [*day, f"{moment:%d/%m/%Y %H:%M:%S}", stamp, f"{stamp}Z", f"{stamp}+00:00"]


def _written(match: re.Match[str], *, end_of_day: bool) -> datetime | None:
    day, month, year, hour, minute, second = (int(part) if part else 0 for part in match.groups())
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    if not _EARLIEST <= to_millis(moment) <= _LATEST:
        return None
    return moment + timedelta(days=1, microseconds=-1) if end_of_day and match[4] is None else moment


def end_of_millisecond(moment: datetime) -> datetime:
    """Callers know milliseconds, the book microseconds: an upper bound includes all of its millisecond."""
    return moment + timedelta(microseconds=999 - moment.microsecond % 1000)

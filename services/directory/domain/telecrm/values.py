"""What a field of each type may hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from urllib.parse import urlsplit

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.moments import read_moment, to_millis
from services.directory.domain.workspace import Pipeline

LONGEST_TEXT = 65_536
LONGEST_LABEL = 256
_LONGEST_EMAIL, _LONGEST_URL = 320, 2048
_EMAIL = re.compile(
    r"[^\s@<>\"(),:;\\\[\]]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_](?:[\w-]{0,61}[^\W_])", re.UNICODE
)
NUMERIC = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Unfit:
    """The field cannot hold the value; `remark` says why, as a sentence without it."""

    remark: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A label that may not be given: left out, and the call succeeds all the same."""

    remark: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was looked up about a request's values before they are judged."""

    pipeline: Pipeline
    phones: Mapping[str, str] = field(default_factory=dict, repr=False)
    """E.164 of each phone as it was given; one that is not here is no phone number."""
    members: frozenset[str] = field(default=frozenset(), repr=False)
    """Folded e-mails of members who may be given something to do."""


def read_value(value: object, type: FieldType, facts: Facts) -> object | Unfit | Dropped:  # noqa: A002 - the contract's name for it
    """The value as it is kept: a JSON value. A phone is digits with the country code first, a date milliseconds."""
    return _READERS[type](value, facts)


def texts_of(value: object) -> Iterator[str]:
    """The texts that a value is, or holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (each for each in value if isinstance(each, str))


def is_email(text: str) -> bool:
    """Whether it is local@domain.tld, in whatever script."""
    return (
        len(text) <= _LONGEST_EMAIL
        and _EMAIL.fullmatch(text) is not None
        and ".." not in text.split("@", maxsplit=1)[0]
    )


def digits_of(e164: str) -> str:
    """As the telecrm APIs write a phone: the country code and the number, without a sign."""
    return e164.removeprefix("+")


def _text(value: object, _: Facts) -> object:
    if not isinstance(value, str):
        return Unfit("Text must be a string")
    return value if len(value) <= LONGEST_TEXT else Unfit(f"Text may have at most {LONGEST_TEXT} characters")


def _email(value: object, _: Facts) -> object:
    text = value.strip() if isinstance(value, str) else ""
    return text if is_email(text) else Unfit("Email is invalid")


def _phone(value: object, facts: Facts) -> object:
    e164 = facts.phones.get(value, "") if isinstance(value, str) else ""
    return digits_of(e164) if e164 else Unfit("Phone number is invalid")


def _number(value: object, _: Facts) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return Unfit("Number is invalid")
    return value


def _date(value: object, _: Facts) -> object:
    moment = read_moment(value)
    return Unfit("Date is invalid") if moment is None else to_millis(moment)


def _label(value: object, _: Facts) -> object:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_LABEL:
        return Unfit(f"Option must be a label of 1 to {LONGEST_LABEL} characters")
    return value.strip()


def _tags(value: object, facts: Facts) -> object:
    labels = [_label(each, facts) for each in value] if isinstance(value, list) else [Unfit("")]
    if any(isinstance(label, Unfit) for label in labels):
        return Unfit("Tags must be an array of strings")
    return list(dict.fromkeys(labels))


def _money(value: object, _: Facts) -> object:
    if not isinstance(value, str) or not NUMERIC.fullmatch(value.strip()):
        return Unfit("Money must be a numeric string")
    return value.strip()


def _website(value: object, _: Facts) -> object:
    return value.strip() if isinstance(value, str) and _is_url(value.strip()) else Unfit("Website is invalid")


def _medialink(value: object, _: Facts) -> object:
    return value.strip() if isinstance(value, str) and _is_url(value.strip()) else Unfit("Media link is invalid")


def _is_url(text: str) -> bool:
    if len(text) > _LONGEST_URL or not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(host) and "." in (host or "").strip(".")


def _active_user(value: object, facts: Facts) -> object:
    text = value.strip() if isinstance(value, str) else ""
    if not is_email(text):
        return Unfit("Email is invalid")
    return text if text.casefold() in facts.members else Unfit("No active team member has this email")


def _rating(value: object, _: Facts) -> object:
    fits = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 5
    return value if fits else Unfit("Rating must be between 1 and 5")


def _status(value: object, facts: Facts) -> object:
    labels = {status.label for status in facts.pipeline.active_statuses()}
    return value if isinstance(value, str) and value in labels else Dropped("Status is not an active one")


def _lost_reason(value: object, facts: Facts) -> object:
    labels = {reason.label for reason in facts.pipeline.lost_reasons}
    return value if isinstance(value, str) and value in labels else Dropped("Lost reason is not an active one")


_READERS: Mapping[FieldType, Callable[[object, Facts], object]] = {
    FieldType.TEXT: _text,
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.NUMBER: _number,
    FieldType.DATE: _date,
    FieldType.DROPDOWN: _label,
    FieldType.TAGS: _tags,
    FieldType.MONEY: _money,
    FieldType.WEBSITE: _website,
    FieldType.MEDIALINK: _medialink,
    FieldType.ACTIVE_USERS: _active_user,
    FieldType.RATING: _rating,
    FieldType.STATUS: _status,
    FieldType.LOST_REASON: _lost_reason,
}

"""The fields that a workspace's leads have, by the names that callers give them (their apiName)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Final


class FieldType(Enum):
    """What a field holds; the values are the names on the wire."""

    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    DATE = "date"
    DROPDOWN = "dropdown"
    TAGS = "tags"
    MONEY = "money"
    WEBSITE = "website"
    MEDIALINK = "medialink"
    ACTIVE_USERS = "activeUsers"
    RATING = "rating"
    STATUS = "status"
    LOST_REASON = "lostReason"


@dataclass(frozen=True, slots=True)
class Option:
    """One label that a dropdown or a tag field may take."""

    option_id: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    """A field of every lead of a workspace; `api_name` is unique in it and counts its case."""

    field_id: str
    api_name: str
    type: FieldType
    options: tuple[Option, ...] = ()
    description: str = ""
    lock_after_create: bool = False


PHONE, NAME, EMAIL, COMPANY, STATUS, LOST_REASON, TAGS, RATING, ASSIGNEE = (
    "phone",
    "name",
    "email",
    "company",
    "status",
    "lost_reason",
    "tags",
    "rating",
    "assignee",
)
STANDARD: Final[Mapping[str, FieldType]] = {
    PHONE: FieldType.PHONE,
    NAME: FieldType.TEXT,
    EMAIL: FieldType.EMAIL,
    COMPANY: FieldType.TEXT,
    STATUS: FieldType.STATUS,
    LOST_REASON: FieldType.LOST_REASON,
    TAGS: FieldType.TAGS,
    RATING: FieldType.RATING,
    ASSIGNEE: FieldType.ACTIVE_USERS,
}
"""What every workspace has, whatever its spec says beside them."""

_NO_LETTER = re.compile(r"[\s_.\-]+")


@lru_cache(4096)  # a delivery's contacts share their names of fields
def squashed(name: str) -> str:
    """Usual spellings of one name are the same once squashed: first_name, firstName, "First Name"."""
    return _NO_LETTER.sub("", name).casefold()


@dataclass(frozen=True, slots=True)
class Fields:
    """All fields of a workspace, in the order in which they were made."""

    all: tuple[CustomField, ...]
    statuses: tuple[CustomField, ...] = field(init=False, repr=False, compare=False)
    """Those that hold a status."""
    _named: Mapping[str, CustomField] = field(init=False, repr=False, compare=False)
    _spelled: Mapping[str, tuple[CustomField, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spelled: dict[str, tuple[CustomField, ...]] = {}
        for each in self.all:
            name = squashed(each.api_name)
            spelled[name] = (*spelled.get(name, ()), each)
        object.__setattr__(self, "_named", {each.api_name: each for each in self.all})
        object.__setattr__(self, "_spelled", spelled)
        object.__setattr__(self, "statuses", tuple(each for each in self.all if each.type is FieldType.STATUS))

    def spelled(self, name: str) -> tuple[CustomField, ...]:
        """Those whose name is spelled like this one in any of the usual ways; mostly one, or none."""
        return self._spelled.get(squashed(name), ())

    def find(self, api_name: str) -> CustomField | None:
        """By the exact name."""
        return self._named.get(api_name)

    def __iter__(self) -> Iterator[CustomField]:
        return iter(self.all)

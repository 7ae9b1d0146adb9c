"""A contact as a source gave it, with the consumer's mapping of labels and types done.

They are structs and no dataclasses: a contact with its phones and e-mails costs 0.3 µs so, and 1.7 frozen otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

import msgspec

ExternalId = NewType("ExternalId", str)
"""The contact's id at its source, always as text: 100 and "100" are one."""

PHONE_LABELS = frozenset({"mobile", "work", "home", "fax", "other"})
EMAIL_LABELS = frozenset({"private", "business", "other"})
LONGEST_ID = 256


class ContactType(StrEnum):
    """What the contact is; anything else that a source says means customer (custom-contact-source.txt)."""

    CUSTOMER = "customer"
    LEAD = "lead"


_CUSTOMER, _LEAD = ContactType  # a look into an enum costs as much as a name


class Labeled(msgspec.Struct, frozen=True, gc=False):
    """A phone number or an e-mail address as given, with a label of PHONE_LABELS or EMAIL_LABELS."""

    value: str
    label: str = "other"


class SourceRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One contact. Nothing of it is printed: it is contact data."""

    external_id: ExternalId
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    type: ContactType | None = None
    """None: the source does not say, and has no default for it."""
    phones: tuple[Labeled, ...] = ()
    """In the source's order; the first is the main one."""
    emails: tuple[Labeled, ...] = ()
    tags: tuple[str, ...] = ()
    extra: Mapping[str, object] = msgspec.field(default_factory=dict)
    """What else the source knows, as JSON values: the contact's additionalFields. Nothing that changes by itself
    (a time of last activity): every difference is a change."""

    def __repr__(self) -> str:
        return "SourceRecord(...)"


@dataclass(frozen=True, slots=True)
class Skip:
    """A row that is left out. The external id may be empty when there is none; the reason holds no contact data."""

    external_id: ExternalId
    reason: str


def is_id(text: str) -> bool:
    """Tell whether the text can be kept as an id: not empty, not too long, and no NUL, which PostgreSQL refuses."""
    return 0 < len(text) <= LONGEST_ID and "\x00" not in text


def phone_label(label: object) -> str:
    """Map a label as the consumer does: anything unknown is other."""
    return label if isinstance(label, str) and label in PHONE_LABELS else "other"


def email_label(label: object) -> str:
    """Map a label as the consumer does: anything unknown is other."""
    return label if isinstance(label, str) and label in EMAIL_LABELS else "other"


def contact_type(kind: object) -> ContactType:
    """Map a type as the consumer does: anything unknown, and nothing, is customer."""
    return _LEAD if kind == "lead" else _CUSTOMER

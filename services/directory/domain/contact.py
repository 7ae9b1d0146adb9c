"""A contact as the book knows it, whatever entrance it came through."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, NewType

ContactId = NewType("ContactId", str)
WorkspaceId = NewType("WorkspaceId", str)
Identity = NewType("Identity", str)

NO_FIELDS = "{}"


class ContactType(IntEnum):
    """What a contact is to the business; the numbers are those of contactsync.contact.v1.ContactType."""

    NOT_GIVEN = 0
    CUSTOMER = 1
    LEAD = 2


@dataclass(frozen=True, slots=True, repr=False)
class Phone:
    """A number, in E.164 where it could be normalised; an empty label means other."""

    number: str
    label: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Email:
    """An address as it was given, its case kept; an empty label means other."""

    email: str
    label: str = ""


class Details(NamedTuple):
    """What is given or known of one contact; empty means not given. Never prints itself: it is personal data.

    Made by `details_of`, `describe` and `merge`, which keep `identities` in step with the rest. A tuple because a
    thousand of them are made per delivery, and a frozen dataclass takes four times as long to make.
    """

    phone: str
    phones: tuple[Phone, ...]
    emails: tuple[Email, ...]
    external_ids: tuple[str, ...]
    first_name: str
    last_name: str
    company: str
    type: ContactType
    tags: tuple[str, ...]
    additional_fields: str
    identities: tuple[Identity, ...]

    def __repr__(self) -> str:
        return "Details(…)"


class Contact(NamedTuple):
    """A live contact of the book. `version` grows by one with every change, from 1. A tuple as Details are.

    `number` is its own in the workspace, from 1, in the order of creation; it is never used again.
    """

    contact_id: ContactId
    version: int
    created_at: datetime
    changed_at: datetime
    details: Details
    number: int


@dataclass(frozen=True, slots=True)
class Tombstone:
    """The source deleted the contact that one of these leads to, the first that leads anywhere."""

    details: Details


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A contact that cannot be applied; the reason is a sentence without contact data."""

    reason: str


Given = Details | Tombstone | Unreadable

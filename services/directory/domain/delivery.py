"""A delivery: contacts that come to the book together, once, however often they are sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, NewType

from services.directory.domain.contact import Contact, ContactId, Given, Identity, Tombstone, Unreadable, WorkspaceId

DeliveryId = NewType("DeliveryId", str)


class RowState(IntEnum):
    """What became of one contact; the numbers are those of contactsync.ingestion.v1.RowState."""

    CREATED = 2
    UPDATED = 3
    UNCHANGED = 4
    FAILED = 6


@dataclass(frozen=True, slots=True)
class Delivery:
    """Contacts in the order in which they are applied."""

    delivery_id: DeliveryId
    workspace_id: WorkspaceId
    contacts: Sequence[Given] = field(repr=False)

    def identities(self) -> list[Identity]:
        """All that its contacts can be found by, each once."""
        found: dict[Identity, None] = {}
        for given in self.contacts:
            match given:
                case Unreadable():
                    pass
                case Tombstone(details):
                    found.update(dict.fromkeys(details.identities))
                case details:
                    found.update(dict.fromkeys(details.identities))
        return list(found)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the contact at `position` (from 0) failed: a sentence without contact data."""

    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a delivery's contacts: a RowState byte each, in order."""

    states: bytes
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the book has at the moment of decision of all that a delivery's contacts can be found by."""

    owners: Mapping[Identity, ContactId]
    contacts: Mapping[ContactId, Contact]


class Claim(NamedTuple):
    """A contact takes an identity: as its owner, whom look-ups find, or beside the owner, who keeps it."""

    identity: Identity
    contact_id: ContactId
    owner: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write for a delivery, all of it or nothing; `deleted` as they were before, to be written first.

    `changed` pairs what was with what is; `dropped` identities are given up by their holders, before any is claimed.
    """

    applied: Applied
    decided_at: datetime
    created: Sequence[Contact]
    changed: Sequence[tuple[Contact, Contact]]
    deleted: Sequence[Contact]
    claims: Sequence[Claim]
    dropped: Sequence[tuple[Identity, ContactId]] = ()

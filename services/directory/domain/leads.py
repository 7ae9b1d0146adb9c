"""Use of single contacts: what is asked of the book, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from services.directory.domain.action import ActionFilter
from services.directory.domain.contact import Contact, ContactId, Identity
from services.directory.domain.terms import Term
from services.directory.domain.workspace import Workspace


class Turn(NamedTuple):
    """A unit's turn at a workspace: nobody else writes to it meanwhile.

    `at` is later than that of every turn before. `number` is the next contact's.
    """

    at: datetime
    number: int
    workspace: Workspace


@dataclass(frozen=True, slots=True)
class Created:
    """The contact is in the book."""

    contact: Contact = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exists:
    """A live contact owns the identity that was to be its alone."""

    contact: Contact = field(repr=False)


@dataclass(frozen=True, slots=True)
class Changed:
    """The contact as it is now; also when there was nothing to change."""

    contact: Contact = field(repr=False)


class NoContact(Enum):
    """There is no such contact in this workspace, or it was deleted: the two look alike."""

    NO_CONTACT = "no_contact"


class NoWorkspace(Enum):
    """There is no such workspace."""

    NO_WORKSPACE = "no_workspace"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A lead matches when it holds any of these, terms or identities. Empty: no lead does."""

    terms: frozenset[Term] = frozenset()
    identities: frozenset[Identity] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class LeadQuery:
    """All that is given must match; times of creation are inclusive."""

    all_of: tuple[AnyOf, ...] = ()
    created_from: datetime | None = None
    created_to: datetime | None = None
    actions: ActionFilter | None = None
    skip: int = 0
    limit: int = 10


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Contacts, newest first, and how many match in all."""

    contacts: Sequence[Contact] = field(repr=False)
    total: int


@dataclass(frozen=True, slots=True)
class WalkPage:
    """A page of all contacts as a walk froze them. `more`: another page follows, though this one may be empty."""

    contacts: Sequence[Contact] = field(repr=False)
    more: bool


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """A page of what changed, by time of change, then id: contacts as they are now, and ids that were deleted."""

    updated: Sequence[Contact] = field(repr=False)
    deleted: Sequence[ContactId]
    more: bool

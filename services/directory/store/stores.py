"""All stores of the book over one database, or in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from libs.storage import Database
from services.directory.ports import (
    ActionBook,
    ActionChanges,
    ContactBook,
    ContactCount,
    CredentialBook,
    CredentialList,
    DeliveryBook,
    LeadLookup,
    LeadSearch,
    LeadWriter,
    Lettering,
    MemberBook,
    MemberChanges,
    WalkReader,
    Walks,
    WorkspaceBook,
    WorkspaceChanges,
)
from services.directory.ports.intake import IntakeBook, IntakeWriter
from services.directory.store.actions import SqlActions
from services.directory.store.credentials import SqlCredentials
from services.directory.store.intake import SqlIntake
from services.directory.store.leads import SqlLeads
from services.directory.store.lettering import SqlLettering
from services.directory.store.members import SqlMembers
from services.directory.store.memory import (
    MemoryActions,
    MemoryBook,
    MemoryCredentials,
    MemoryIntake,
    MemoryLeads,
    MemoryMembers,
    MemorySearch,
    MemoryWalks,
    MemoryWorkspaces,
    Shelf,
)
from services.directory.store.searching import SqlSearch
from services.directory.store.sql import SqlBook
from services.directory.store.turns import Turns
from services.directory.store.walks import SqlWalks
from services.directory.store.workspaces import SqlWorkspaces


class Book(DeliveryBook, ContactBook, ContactCount, Protocol):
    """The book as a destination, and as its operator sees it."""


class Leads(LeadWriter, LeadLookup, Protocol):
    """Single contacts."""


class WalksThrough(Walks, WalkReader, Protocol):
    """Walks."""


class AllWorkspaces(WorkspaceBook, WorkspaceChanges, Protocol):
    """Workspaces."""


class AllMembers(MemberBook, MemberChanges, Protocol):
    """Members."""


class AllCredentials(CredentialBook, CredentialList, Protocol):
    """Credentials."""


class AllActions(ActionBook, ActionChanges, Protocol):
    """Actions."""


class AllIntake(IntakeBook, IntakeWriter, Protocol):
    """Leads that wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Every port of the book."""

    book: Book
    leads: Leads
    search: LeadSearch
    lettering: Lettering
    walks: WalksThrough
    workspaces: AllWorkspaces
    members: AllMembers
    credentials: AllCredentials
    actions: AllActions
    intake: AllIntake


async def sql_stores(database: Database, *, clock: Callable[[], datetime]) -> Stores:
    """In the database; what an upgrade left to do is done first."""
    turns = Turns(clock)
    leads = SqlLeads(database, turns)
    lettering = SqlLettering(database, turns)
    await lettering.index_old()
    return Stores(
        book=SqlBook(database, turns),
        leads=leads,
        search=SqlSearch(database),
        lettering=lettering,
        walks=SqlWalks(database, turns),
        workspaces=SqlWorkspaces(database, turns),
        members=SqlMembers(database, turns),
        credentials=SqlCredentials(database, turns),
        actions=SqlActions(database),
        intake=SqlIntake(database, turns, leads),
    )


def memory_stores(*, clock: Callable[[], datetime]) -> Stores:
    """In memory, gone with the process."""
    shelf = Shelf(clock)
    search = MemorySearch(shelf)
    return Stores(
        book=MemoryBook(shelf),
        leads=MemoryLeads(shelf),
        search=search,
        lettering=search,
        walks=MemoryWalks(shelf),
        workspaces=MemoryWorkspaces(shelf),
        members=MemoryMembers(shelf),
        credentials=MemoryCredentials(shelf),
        actions=MemoryActions(shelf),
        intake=MemoryIntake(shelf),
    )

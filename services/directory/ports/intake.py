"""Leads that are accepted and wait."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from services.directory.domain.contact import Contact, ContactId
from services.directory.domain.leads import NoWorkspace
from services.directory.domain.telecrm.intake import Entry, EntryId, Upsert
from services.directory.ports.leads import Noting


class IntakeBook(Protocol):
    """Keeps what waits, on disk."""

    async def put(self, entry: Entry) -> None:
        """On disk when it returns."""
        ...

    async def waiting(self, *, now: datetime, limit: int) -> list[Entry]:
        """The first that are due, in order of arrival."""
        ...

    async def put_off(self, entry_id: EntryId, *, until: datetime) -> None:
        """One more attempt has failed."""
        ...

    async def drop(self, entry_id: EntryId) -> None:
        """It is not to be done."""
        ...


class IntakeWriter(Protocol):
    """Does what waits."""

    async def upsert(
        self, entry_id: EntryId, upsert: Upsert, *, mint: Callable[[datetime], ContactId], noting: Noting
    ) -> Contact | NoWorkspace | None:
        """Writes the contact and its actions and takes the entry off, in one unit; None when it was off already.

        So it is done once, however often it is tried. `noting` is asked with the contact as it is then, `changed_at`
        being the moment of the unit. Writers of one contact take turns.
        """
        ...


class IntakeAnnouncer(Protocol):
    """Makes known that something waits."""

    def announce(self, entries: Sequence[Entry], *, stamp: str = "") -> None:
        """Soon, and perhaps not at all: the book is the truth. Another `stamp` makes the same known again."""
        ...

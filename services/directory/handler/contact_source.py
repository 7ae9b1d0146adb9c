"""The use cases of a custom contact source."""

from dataclasses import dataclass
from datetime import datetime

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.contact_source.asking import Paging
from services.directory.domain.credential import CredentialId
from services.directory.domain.leads import DeltaPage, WalkPage
from services.directory.ports import WalkReader, Walks


@dataclass(frozen=True, slots=True)
class Walker:
    """Who walks: a source access, and which of its tokens is shown."""

    access: CredentialId
    token_id: str = ""


class ContactSource:
    """A workspace's contacts, page by page, as they were when page 1 was asked for.

    A walk belongs to the token, what it asks for and its limit; one that goes on with a token that began none is the
    one that its source access began last. Whoever asks for page 1 begins anew.
    """

    def __init__(self, *, walks: Walks, reader: WalkReader) -> None:
        self._walks = walks
        self._reader = reader

    async def contacts(self, workspace_id: WorkspaceId, walker: Walker, paging: Paging) -> WalkPage:
        """All contacts, by id."""
        as_of = await self._moment(workspace_id, walker, "contacts", paging)
        return await self._reader.contacts_as_of(workspace_id, as_of, page=paging.page, limit=paging.limit)

    async def delta(self, workspace_id: WorkspaceId, walker: Walker, paging: Paging, *, since: datetime) -> DeltaPage:
        """What changed at that moment or later, by time of change."""
        as_of = await self._moment(workspace_id, walker, f"delta/{int(since.timestamp())}", paging)
        return await self._reader.changes_as_of(workspace_id, as_of, since=since, page=paging.page, limit=paging.limit)

    async def _moment(self, workspace_id: WorkspaceId, walker: Walker, asked: str, paging: Paging) -> datetime:
        names = [f"{walker.access}/{token}/{asked}/{paging.limit}" for token in (walker.token_id, "")]
        for name in names if paging.page > 1 else ():
            if (known := await self._walks.resume(workspace_id, name)) is not None:
                return known
        return await self._walks.begin(workspace_id, *names)

"""The use cases of a custom contact source."""

from datetime import datetime

from services.directory.domain.contact import WorkspaceId
from services.directory.domain.contact_source.asking import Paging
from services.directory.domain.credential import CredentialId
from services.directory.domain.leads import DeltaPage, WalkPage
from services.directory.ports import WalkReader, Walks


class ContactSource:
    """A workspace's contacts, page by page, as they were when page 1 was asked for.

    A walk belongs to the source access, what it asks for and its limit, so one that goes on with a new token goes on
    where it was. Whoever asks for page 1 begins it anew.
    """

    def __init__(self, *, walks: Walks, reader: WalkReader) -> None:
        self._walks = walks
        self._reader = reader

    async def contacts(self, workspace_id: WorkspaceId, access: CredentialId, paging: Paging) -> WalkPage:
        """All contacts, by id."""
        as_of = await self._moment(workspace_id, f"{access}/contacts/{paging.limit}", paging)
        return await self._reader.contacts_as_of(workspace_id, as_of, page=paging.page, limit=paging.limit)

    async def delta(
        self, workspace_id: WorkspaceId, access: CredentialId, paging: Paging, *, since: datetime
    ) -> DeltaPage:
        """What changed at that moment or later, by time of change."""
        walk = f"{access}/delta/{paging.limit}/{int(since.timestamp())}"
        as_of = await self._moment(workspace_id, walk, paging)
        return await self._reader.changes_as_of(workspace_id, as_of, since=since, page=paging.page, limit=paging.limit)

    async def _moment(self, workspace_id: WorkspaceId, walk: str, paging: Paging) -> datetime:
        known = await self._walks.resume(workspace_id, walk) if paging.page > 1 else None
        return known or await self._walks.begin(workspace_id, walk)

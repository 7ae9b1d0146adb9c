"""Keys in memory: for tests and for trying things out."""

from collections.abc import Sequence
from datetime import datetime

from services.idempotency import domain
from services.idempotency.domain import Beginning, Completion, Key, Record, Release, Request, Terms


class MemoryKeys:
    """Keys and Records over a dictionary; decides without awaiting, so nothing comes in between."""

    def __init__(self) -> None:
        self._records: dict[Key, Record] = {}

    async def begin(self, asked: Sequence[tuple[Request, Terms]]) -> list[Beginning]:
        return [self._begin(request, terms) for request, terms in asked]

    async def complete(self, completions: Sequence[Completion]) -> list[bool]:
        return [self._complete(completion) for completion in completions]

    async def release(self, releases: Sequence[Release]) -> list[bool]:
        return [self._release(release) for release in releases]

    async def find(self, key: Key) -> Record | None:
        return self._records.get(key)

    async def forget_expired(self, now: datetime, *, limit: int) -> int:
        expired = [key for key, record in self._records.items() if record.expires_at <= now][:limit]
        for key in expired:
            del self._records[key]
        return len(expired)

    def _begin(self, request: Request, terms: Terms) -> Beginning:
        beginning, kept = domain.begin(self._records.get(request.key), request, terms)
        self._keep(kept)
        return beginning

    def _complete(self, completion: Completion) -> bool:
        held, kept = domain.complete(self._records.get(completion.key), completion.fence, completion.answer)
        self._keep(kept)
        return held

    def _release(self, release: Release) -> bool:
        if not domain.may_release(self._records.get(release.key), release.fence):
            return False
        del self._records[release.key]
        return True

    def _keep(self, record: Record | None) -> None:
        if record is not None:
            self._records[record.key] = record

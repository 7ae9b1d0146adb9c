"""Deletes what a run found gone, as tombstones, and ends it."""

from dataclasses import replace

from services.source_polling.domain.run import Phase, Run, RunStatus, complete
from services.source_polling.domain.source import Source
from services.source_polling.handler.read import Told
from services.source_polling.handler.send import Post, parcel_key
from services.source_polling.ports.peers import Imports
from services.source_polling.ports.store import Condemned, Kept, Ledger, Parcel
from services.source_polling.ports.surroundings import Clock

TOMBSTONES = 1000
"""In one parcel."""


class Deleter:
    """Brings a run from the end of the source to its own."""

    def __init__(self, *, condemned: Condemned, ledger: Ledger, imports: Imports, post: Post, clock: Clock) -> None:
        self._condemned = condemned
        self._ledger = ledger
        self._imports = imports
        self._post = post
        self._clock = clock

    async def delete(self, source: Source, run: Run, told: Told) -> Run:
        """Give the run completed; one that failed, waits or is held is given back as it is. Raises as reading does."""
        if run.status is not RunStatus.RUNNING or run.phase is not Phase.DELETING:
            return run
        while gone := await self._condemned.condemned(run, limit=TOMBSTONES):
            body = self._imports.pack(source, key=parcel_key(run), contacts=(), tombstones=gone)
            parcel = Parcel(run.run_id, run.parcels, body)
            run = replace(run, parcels=run.parcels + 1, tally=run.tally.plus(deleted=len(gone)))
            await self._ledger.keep(run, Kept(deleted=gone, parcel=parcel))
            told(run)
            await self._post.send(parcel)
        return complete(run, now=self._clock.now())

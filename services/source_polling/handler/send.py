"""Sends parcels: what was decided goes out before anything else is decided, again when nobody knows whether it did."""

from services.source_polling.domain.run import Run
from services.source_polling.ports.peers import Imports
from services.source_polling.ports.store import Parcel, Parcels


def parcel_key(run: Run) -> str:
    """The idempotency key of the run's next parcel: the same whenever that is made again."""
    return f"{run.source_id}.{run.run_id}.{run.parcels}"


class Post:
    """Brings parcels into the hub."""

    def __init__(self, parcels: Parcels, imports: Imports) -> None:
        self._parcels = parcels
        self._imports = imports

    async def send(self, parcel: Parcel) -> None:
        """Return when the hub has the parcel, which was stored. Raises as `send_left` does."""
        await self._imports.accept(parcel.body)

    async def send_left(self, run: Run) -> None:
        """Return when the hub has every parcel of the run. Raises PartUnavailableError and ImportRefusedError."""
        for parcel in await self._parcels.parcels(run.run_id):
            await self.send(parcel)

    async def disown_left(self, run: Run) -> None:
        """Let the next run find out again about every contact in the run's parcels: this one will not send them."""
        for parcel in await self._parcels.parcels(run.run_id):
            await self._parcels.disown(run, self._imports.contents(parcel.body))

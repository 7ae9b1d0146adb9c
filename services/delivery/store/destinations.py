"""Destinations in a database, remembered for a second: every delivery asks for its own."""

import asyncio
import time
from collections.abc import Callable, Sequence

from sqlalchemy import bindparam, case, delete, select, update
from typing_extensions import override

from libs.rpc import Batch
from libs.storage import Database, Statement, Transaction, table_of
from services.delivery.domain.destination import Destination, DestinationId
from services.delivery.ports import Cipher, Destinations, PauseSwitch
from services.delivery.ports.operating import Register
from services.delivery.store.destination_rows import Row, destination_row, read_destination
from services.delivery.store.tables import DestinationRow

REMEMBERED_S = 1.0
"""How late a change at another process is noticed."""

_destinations = table_of(DestinationRow)
_COLUMNS = tuple(_destinations.columns.keys())

_ALL = Statement(select(_destinations).order_by(_destinations.c.name, _destinations.c.destination_id))
_PUT = Statement(
    lambda insert: insert(_destinations).values({name: bindparam(name) for name in _COLUMNS}).on_conflict_do_nothing(),
    *_COLUMNS,
)
_SET_PAUSED = Statement(
    update(_destinations)
    .where(_destinations.c.destination_id == bindparam("destination"))
    .values(
        paused=bindparam("to_paused"),
        pause_reason=bindparam("to_reason"),
        # It was paused and no longer is. What was not paused stays as it is.
        resuming=case((_destinations.c.paused > bindparam("to_paused"), 1), else_=_destinations.c.resuming),
    )
    .returning(_destinations),
    "destination",
    "to_paused",
    "to_reason",
)
_RESUMED = Statement(
    update(_destinations).where(_destinations.c.destination_id == bindparam("destination")).values(resuming=0),
    "destination",
)
_LOCK = Statement(
    select(_destinations).where(_destinations.c.destination_id == bindparam("destination")).with_for_update(),
    "destination",
)
_CHANGEABLE = tuple(name for name in _COLUMNS if name not in {"destination_id", "kind", "created_at"})
_CHANGE = Statement(
    update(_destinations)
    .where(_destinations.c.destination_id == bindparam("destination"))
    .values({name: bindparam(f"to_{name}") for name in _CHANGEABLE}),
    "destination",
    *(f"to_{name}" for name in _CHANGEABLE),
)
_REMOVE = Statement(
    delete(_destinations).where(_destinations.c.destination_id == bindparam("destination")), "destination"
)


class SqlDestinations(Destinations, PauseSwitch, Register):
    """All destinations are read together: there are few, and deliveries for several come together.

    A change is answered when no process goes by what was before: nothing is sent to what was paused.
    """

    def __init__(
        self, database: Database, *, cipher: Cipher, replicas: int = 1, now: Callable[[], float] = time.monotonic
    ) -> None:
        """`now` is in seconds."""
        self._database = database
        self._cipher = cipher
        self._has_others = replicas > 1
        self._now = now
        self._known: dict[DestinationId, Destination] = {}
        self._known_until = float("-inf")
        self._changes = 0
        # Deliveries that ask together, when the second is over, read once.
        self._reads: Batch[None, Sequence[Destination]] = Batch(self._read_all, limit=1024, in_flight=1)

    @override
    async def find(self, destination_id: DestinationId) -> Destination | None:
        if self._now() < self._known_until and (known := self._known.get(destination_id)):
            return known
        # What is not remembered may have been put at another process just now: its deliveries must not be given up.
        return next((each for each in await self.list() if each.destination_id == destination_id), None)

    @override
    async def list(self) -> Sequence[Destination]:
        return await self._reads.ask(None)

    @override
    async def put(self, destination: Destination) -> bool:
        row = destination_row(destination, cipher=self._cipher)

        async def unit(transaction: Transaction) -> bool:
            return await transaction.execute(_PUT, row) > 0

        is_new = await self._database.write(unit)
        self._forget()
        return is_new

    @override
    async def set_paused(self, destination_id: DestinationId, *, paused: bool, reason: str = "") -> Destination | None:
        async def unit(transaction: Transaction) -> Row | None:
            row = (destination_id, int(paused), reason if paused else "")
            return await transaction.fetch_one(_SET_PAUSED, row)

        row = await self._database.write(unit)
        await self._let_all_forget()
        return None if row is None else self._read(row)

    @override
    async def resumed(self, destination_id: DestinationId) -> None:
        async def unit(transaction: Transaction) -> None:
            await transaction.execute(_RESUMED, (destination_id,))

        await self._database.write(unit)
        self._forget()

    @override
    async def change(
        self, destination_id: DestinationId, change: Callable[[Destination], Destination]
    ) -> Destination | None:
        async def unit(transaction: Transaction) -> Destination | None:
            row = await transaction.fetch_one(_LOCK, (destination_id,))
            if row is None:
                return None
            changed = change(self._read(row))
            values = dict(zip(_COLUMNS, destination_row(changed, cipher=self._cipher), strict=True))
            await transaction.execute(_CHANGE, (destination_id, *(values[name] for name in _CHANGEABLE)))
            return changed

        changed = await self._database.write(unit)
        await self._let_all_forget()
        return changed

    @override
    async def remove(self, destination_id: DestinationId) -> bool:
        async def unit(transaction: Transaction) -> int:
            return await transaction.execute(_REMOVE, (destination_id,))

        removed = await self._database.write(unit)
        await self._let_all_forget()
        return removed > 0

    async def _read_all(self, asked: Sequence[None]) -> Sequence[Sequence[Destination]]:
        asked_at, changes = self._now(), self._changes
        destinations = [self._read(row) for row in await self._database.fetch(_ALL)]
        if changes == self._changes:
            self._known = {each.destination_id: each for each in destinations}
            self._known_until = asked_at + REMEMBERED_S
        return [destinations] * len(asked)

    async def _let_all_forget(self) -> None:
        self._forget()
        if self._has_others:
            await asyncio.sleep(REMEMBERED_S)

    def _forget(self) -> None:
        """Also what is being read now: it may be older than the change."""
        self._changes += 1
        self._known_until = float("-inf")

    def _read(self, row: Row) -> Destination:
        return read_destination(row, cipher=self._cipher)

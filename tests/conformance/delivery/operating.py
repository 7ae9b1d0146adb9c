"""The store of the operator's side, and rows for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from msgspec import structs

from libs.storage import Database
from services.delivery.domain.answer import RowFailure
from services.delivery.domain.dead_letter import DeadLetterFilter
from services.delivery.domain.delivery import Delivery, DeliveryState, Ref, hold
from services.delivery.domain.destination import DestinationId
from services.delivery.store.dead_letters import SqlDeadLetters
from services.delivery.store.destinations import SqlDestinations
from services.delivery.store.memory import MemoryDestinations, MemoryLedger
from services.delivery.store.memory_operating import MemoryDeadLetters, MemoryReplays
from services.delivery.store.replays import SqlReplays
from services.delivery.store.sql import SqlLedger
from services.delivery.vault import Vault
from tests.conformance.delivery.test_store import MIGRATIONS
from tests.fixtures.databases import Databases
from tests.unit.delivery.world import HOOK, NOW

SECOND = timedelta(seconds=1)
ALL = DeadLetterFilter(destination_id=HOOK)
OTHER = DestinationId("dest-other")
C, F, N, U, P, X = (bytes([state]) for state in (2, 6, 7, 8, 1, 0))
"""Created, failed, not supported, unknown, pending, of another round."""


@dataclass
class Store:
    ledger: MemoryLedger | SqlLedger
    destinations: MemoryDestinations | SqlDestinations
    letters: MemoryDeadLetters | SqlDeadLetters
    replays: MemoryReplays | SqlReplays
    database: Database | None = None

    async def all(self, **changes: object) -> list[tuple[str, int, int, str]]:
        found = await self.letters.page(replace(ALL, **changes), after=None, limit=100)  # type: ignore[arg-type]  # fields
        return [(each.chunk_id, each.position, each.round, each.state.name) for each in found]


async def open_store(kind: str, databases: Databases) -> Store:
    """A fresh one."""
    if kind == "memory":
        ledger = MemoryLedger()
        return Store(ledger, MemoryDestinations(), ledger.dead_letters, MemoryReplays())
    return sql_store(await databases.open(kind, MIGRATIONS))


def sql_store(database: Database) -> Store:
    vault = Vault(b"m" * 32)
    return Store(
        SqlLedger(database, cipher=Vault(b"m" * 32, purpose="answer")),
        SqlDestinations(database, cipher=vault),
        SqlDeadLetters(database),
        SqlReplays(database),
        database,
    )


def tried(
    of: Ref, states: bytes, *, at: timedelta = SECOND, count: int = 1, reasons: Sequence[tuple[int, str]] = ()
) -> Delivery:
    return structs.replace(
        hold(of, now=NOW),
        state=DeliveryState.WAITING if P in states else DeliveryState.DONE,
        states=states,
        failures=tuple(RowFailure(position=position, reason=reason) for position, reason in reasons),
        attempt_count=count,
        due_at=NOW if P in states else None,
        attempted_at=NOW + at,
        status=422,
        message="It answered 422.",
    )

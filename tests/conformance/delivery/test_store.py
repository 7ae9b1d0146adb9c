"""What every store of delivery promises: memory, SQLite and PostgreSQL."""

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec import structs

from libs.storage import Database
from services.delivery.domain.answer import RowFailure
from services.delivery.domain.delivery import Attempt, Delivery, DeliveryState, Ref, hold
from services.delivery.domain.destination import (
    Destination,
    DestinationId,
    DestinationKind,
    RetrySchedule,
    directory,
)
from services.delivery.ports import Waiting
from services.delivery.store.destinations import SqlDestinations
from services.delivery.store.memory import MemoryDestinations, MemoryLedger
from services.delivery.store.sql import SqlLedger
from services.delivery.vault import Vault, WrongMasterKeyError
from tests.fixtures.databases import Databases
from tests.unit.delivery.world import HOOK, NOW, ref

MIGRATIONS = Path(__file__).parents[3] / "services" / "delivery" / "migrations"
SECOND = timedelta(seconds=1)


@dataclass
class Store:
    ledger: MemoryLedger | SqlLedger
    destinations: MemoryDestinations | SqlDestinations
    database: Database | None = None


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> Store:
    if request.param == "memory":
        return Store(MemoryLedger(), MemoryDestinations())
    database = await databases.open(request.param, MIGRATIONS)
    return Store(
        SqlLedger(database, cipher=Vault(b"m" * 32, purpose="answer")),
        SqlDestinations(database, cipher=Vault(b"m" * 32)),
        database,
    )


def tried(of: Ref, *, count: int = 1, state: DeliveryState = DeliveryState.DONE) -> Delivery:
    final = state not in {DeliveryState.WAITING, DeliveryState.SENDING}
    return structs.replace(
        hold(of, now=NOW),
        state=state,
        states=b"\x02\x06",
        failures=(RowFailure(position=1, reason="Нет номера."),),
        attempt_count=count,
        due_at=None if final else NOW + count * SECOND,
        attempted_at=NOW + timedelta(microseconds=count),
        status=200,
        message="",
    )


def attempt(of: Ref, number: int = 1) -> Attempt:
    took = timedelta(milliseconds=12)
    return Attempt(key=of.key, number=number, started_at=NOW, duration=took, status=503, message="It answered 503.")


async def test_what_was_recorded_is_found_as_it_was(store: Store) -> None:
    first, second = tried(ref(positions=[1, 3], number=1)), tried(ref("job.1"), state=DeliveryState.WAITING)
    await store.ledger.record(first, attempt(first.ref))
    await store.ledger.record(second, attempt(second.ref))

    found = await store.ledger.find([first.ref.key, second.ref.key, ref("job.2").key, ref("job.1", "other").key])

    assert found == {first.ref.key: first, second.ref.key: second}


async def test_a_later_try_takes_the_place_of_an_earlier(store: Store) -> None:
    held = hold(ref(), now=NOW - SECOND)

    recorded = [
        await store.ledger.record(held),
        await store.ledger.record(tried(ref(), count=1, state=DeliveryState.WAITING), attempt(ref(), 1)),
        await store.ledger.record(tried(ref(), count=2), attempt(ref(), 2)),
    ]

    [found] = (await store.ledger.find([ref().key])).values()
    assert recorded == [True, True, True]
    assert found == structs.replace(tried(ref(), count=2), created_at=NOW - SECOND)
    assert [each.number for each in await store.ledger.attempts(ref().key.chunk_id, HOOK) or []] == [1, 2]


@pytest.mark.parametrize("known", [DeliveryState.DONE, DeliveryState.WAITING])
async def test_neither_what_is_final_nor_an_equal_count_of_tries_is_overwritten(
    store: Store, known: DeliveryState
) -> None:
    first = tried(ref(), count=2, state=known)
    await store.ledger.record(first, attempt(ref(), 2))
    later = tried(ref(), count=3 if first.is_final else 2, state=DeliveryState.FAILED)

    recorded = await store.ledger.record(later, attempt(ref(), later.attempt_count))

    assert not recorded
    assert await store.ledger.find([ref().key]) == {ref().key: first}
    assert await store.ledger.attempts(ref().key.chunk_id, HOOK) == [attempt(ref(), 2)]


async def test_holding_what_is_known_changes_nothing(store: Store) -> None:
    await store.ledger.record(tried(ref(), state=DeliveryState.WAITING))

    assert not await store.ledger.record(hold(ref(), now=NOW))


async def test_due_ones_come_in_order_and_only_of_their_destination(store: Store) -> None:
    other = DestinationId("other")
    for index in (3, 1, 2):
        await store.ledger.record(tried(ref(f"job.{index}"), count=index, state=DeliveryState.WAITING))
    await store.ledger.record(tried(ref("job.4"), state=DeliveryState.DONE))
    await store.ledger.record(tried(ref("job.5", other), count=9, state=DeliveryState.SENDING))

    due = await store.ledger.due(HOOK, now=NOW + 2 * SECOND, limit=10)
    first = await store.ledger.due(HOOK, now=NOW + 9 * SECOND, limit=1)

    assert [each.ref.key.chunk_id for each in due] == ["job.1", "job.2"]
    assert [each.ref.key.chunk_id for each in first] == ["job.1"]
    assert await store.ledger.next_due(HOOK) == NOW + SECOND
    assert await store.ledger.next_due(other) == NOW + 9 * SECOND
    assert await store.ledger.next_due(DestinationId("none")) is None


async def test_the_backlog_is_counted(store: Store) -> None:
    await store.ledger.record(hold(ref("job.1"), now=NOW))
    await store.ledger.record(hold(ref("job.2"), now=NOW - SECOND))
    await store.ledger.record(tried(ref("job.3")))

    assert await store.ledger.waiting(HOOK) == Waiting(count=2, oldest_at=NOW - SECOND)
    assert await store.ledger.waiting(DestinationId("none")) == Waiting(count=0, oldest_at=None)


async def test_tries_of_all_rounds_are_listed_and_an_unknown_delivery_is_told_apart(store: Store) -> None:
    rounds = [ref(number=number) for number in (1, 0)]
    for each in rounds:
        await store.ledger.record(tried(each), attempt(each))
    await store.ledger.record(hold(ref("job.1"), now=NOW))

    listed = await store.ledger.attempts(ref().key.chunk_id, HOOK)

    assert listed == [attempt(ref()), attempt(ref(number=1))]
    assert await store.ledger.attempts(ref("job.1").key.chunk_id, HOOK) == []
    assert await store.ledger.attempts(ref("job.2").key.chunk_id, HOOK) is None


def hook(name: str, identity: str) -> Destination:
    return Destination(
        destination_id=DestinationId(identity),
        name=name,
        kind=DestinationKind.WEBHOOK,
        created_at=NOW,
        url="https://hook.example/",
        secrets=("whsec_c2VjcmV0",),
        retry=RetrySchedule(max_attempts=3, timeout=timedelta(seconds=2.5)),
        idempotent=False,
    )


async def test_destinations_are_kept_by_name_and_the_first_of_an_id_stays(store: Store) -> None:
    made = [hook("b", "dest-1"), hook("a", "dest-3"), hook("a", "dest-2"), directory(now=NOW)]

    new = [await store.destinations.put(each) for each in made]
    again = await store.destinations.put(replace(directory(now=NOW + SECOND)))

    assert (new, again) == ([True] * 4, False)
    assert list(await store.destinations.list()) == [made[2], made[1], made[0], made[3]]
    assert await store.destinations.find(made[0].destination_id) == made[0]
    assert await store.destinations.find(DestinationId("none")) is None


async def test_a_pause_is_seen_at_once_where_it_was_made(store: Store) -> None:
    made = hook("a", "dest-1")
    await store.destinations.put(made)
    await store.destinations.find(made.destination_id)

    paused = await store.destinations.set_paused(made.destination_id, paused=True)
    found = await store.destinations.find(made.destination_id)
    await store.destinations.set_paused(made.destination_id, paused=False)
    going_on = await store.destinations.find(made.destination_id)
    await store.destinations.resumed(made.destination_id)

    assert paused == found == replace(made, paused=True)
    assert going_on == replace(made, resuming=True)
    assert await store.destinations.find(made.destination_id) == made
    assert await store.destinations.set_paused(DestinationId("none"), paused=True) is None


async def test_a_destination_is_known_at_every_process_as_soon_as_it_is_put(store: Store) -> None:
    """Its first contacts may come up for delivery where others are remembered still."""
    at_another = SqlDestinations(store.database, cipher=Vault(b"m" * 32)) if store.database else store.destinations
    await store.destinations.put(hook("a", "dest-1"))
    known = await store.destinations.find(DestinationId("dest-1"))

    await at_another.put(hook("b", "dest-2"))

    assert known == hook("a", "dest-1")
    assert await store.destinations.find(DestinationId("dest-2")) == hook("b", "dest-2")


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_pause_holds_at_every_process_once_it_is_answered(databases: Databases, kind: str) -> None:
    database = await databases.open(kind, MIGRATIONS)
    here, there = (SqlDestinations(database, cipher=Vault(b"m" * 32), replicas=2) for _ in range(2))
    made = hook("a", "dest-1")
    await here.put(made)
    before = await there.find(made.destination_id)

    await here.set_paused(made.destination_id, paused=True)

    assert before == made
    assert await there.find(made.destination_id) == replace(made, paused=True)


async def test_secrets_are_sealed_and_bound_to_their_destination(databases: Databases) -> None:
    database = await databases.open("sqlite", MIGRATIONS)
    made = hook("a", "dest-1")
    await SqlDestinations(database, cipher=Vault(b"m" * 32)).put(made)
    vault = Vault(b"m" * 32)

    sealed = vault.seal("x", destination_id=DestinationId("dest-1"))

    with pytest.raises(WrongMasterKeyError):
        vault.unseal(sealed, destination_id=DestinationId("dest-2"))
    with pytest.raises(WrongMasterKeyError):
        await SqlDestinations(database, cipher=Vault(b"o" * 32)).list()


async def test_tries_of_some_chunks_are_listed_over_all_destinations(store: Store) -> None:
    for number, of in enumerate((ref("job.0"), ref("job.1", "other"), ref("another.0")), 1):
        one = replace(attempt(of), started_at=NOW + number * SECOND, answer="said")
        await store.ledger.record(tried(of), one)

    listed = await store.ledger.attempts_of([ref("job.0").key.chunk_id, ref("job.1").key.chunk_id], limit=9)
    latest = await store.ledger.attempts_of([ref("job.0").key.chunk_id, ref("job.1").key.chunk_id], limit=1)

    assert [(each.key.chunk_id, each.key.destination_id) for each in listed] == [("job.0", HOOK), ("job.1", "other")]
    assert {each.answer for each in listed} == {""}
    assert latest == listed[1:]

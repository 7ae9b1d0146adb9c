"""What every ledger promises of what it has to be acted on later: memory, SQLite and PostgreSQL."""

from datetime import timedelta

from msgspec.structs import replace

from services.delivery.domain.delivery import hold
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.watch import Late
from tests.conformance.delivery.test_store import SECOND, Store, attempt, store, tried
from tests.unit.delivery.world import HOOK, NOW, ref

__all__ = ["store"]


async def test_a_backlog_is_paged_through_by_due_time_chunk_and_round(store: Store) -> None:
    for name, later in (("job.3", 0), ("job.1", 1), ("job.2", 0), ("job.4", 1)):
        await store.ledger.record(replace(hold(ref(name), now=NOW), due_at=NOW + later * SECOND))
    await store.ledger.record(replace(hold(ref("job.2", number=1), now=NOW), due_at=NOW))
    await store.ledger.record(tried(ref("job.5")))
    await store.ledger.record(hold(ref("job.6", "other"), now=NOW))
    pages = [await store.ledger.page(HOOK, after=None, limit=2)]

    while pages[-1]:
        pages.append(await store.ledger.page(HOOK, after=pages[-1][-1], limit=2))

    places = [[f"{each.ref.key.chunk_id}/{each.ref.key.round}" for each in page] for page in pages]
    assert places == [["job.2/0", "job.2/1"], ["job.3/0", "job.1/0"], ["job.4/0"], []]


async def test_what_should_have_been_tried_is_counted(store: Store) -> None:
    for index in range(4):
        await store.ledger.record(hold(ref(f"job.{index}"), now=NOW - index * SECOND))
    once = replace(hold(ref("job.9"), now=NOW - 9 * SECOND), attempt_count=1)
    await store.ledger.record(once, attempt(ref("job.9")))
    await store.ledger.record(tried(ref("job.8")))
    await store.ledger.record(hold(ref("job.7", "other"), now=NOW - 9 * SECOND))

    late = await store.ledger.late(HOOK, due=NOW - SECOND, came=NOW - 2 * SECOND)
    none = await store.ledger.late(DestinationId("none"), due=NOW, came=NOW)

    assert late == Late(count=4, never_tried=2, oldest_due_at=NOW - 9 * SECOND)
    assert none == Late()


async def test_what_becomes_due_later_is_not_late(store: Store) -> None:
    await store.ledger.record(replace(hold(ref(), now=NOW), due_at=NOW + timedelta(hours=1)))

    assert await store.ledger.late(HOOK, due=NOW, came=NOW) == Late()

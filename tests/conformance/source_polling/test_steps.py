"""What every store promises of a run's steps: memory, SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from services.source_polling.domain.errors import LeaseLostError
from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import RunStatus, complete, wait
from services.source_polling.domain.source import Source, SourceId
from services.source_polling.ports.store import Kept
from tests.conformance.source_polling.store import MINUTE, Store, ids, parcel_of
from tests.unit.source_polling.world import NOW


async def test_older_holder_is_refused_everything(store: Store, source: Source) -> None:
    old = await store.taken(source)
    await store.runs.take(old.run_id, holder="two", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    for write in (
        store.ledger.keep(old, Kept(accepted={ExternalId("1"): b"f"})),
        store.ledger.end(complete(old, now=NOW), cursor=NOW),
        store.ledger.condemn_unseen(old),
        store.ledger.disown(old, ids(1)),
    ):
        with pytest.raises(LeaseLostError):
            await write
    assert await store.ledger.known(source.source_id, ids(1)) == {}
    assert (await store.seen(old)).status is RunStatus.RUNNING


async def test_step_is_kept_whole(store: Store, source: Source) -> None:
    run = await store.taken(source)
    tally = run.tally.plus(pages=1, seen=2, changed=2, skipped=1, tokens=1, retries=3)
    after = replace(run, page_cursor="2", fingerprint=b"\x00f", parcels=1, tally=tally)
    kept = Kept(accepted={ExternalId("1"): b"a", ExternalId("2"): b"b"}, skips=[Skip(ExternalId("3"), "Нет имени.")])

    await store.ledger.keep(after, replace(kept, parcel=parcel_of(run, 0)))

    assert await store.seen(run) == after
    assert await store.ledger.known(source.source_id, ids(1, 2, 3)) == {"1": b"a", "2": b"b"}
    assert await store.runs.skips(run.run_id) == [Skip(ExternalId("3"), "Нет имени.")]
    assert await store.ledger.parcels(run.run_id) == [parcel_of(run, 0)]


async def test_next_step_lets_go_of_the_parcel_before(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(parcel=parcel_of(run, 0)))

    await store.ledger.keep(run, Kept(parcel=parcel_of(run, 1)))

    assert await store.ledger.parcels(run.run_id) == [parcel_of(run, 1)]


async def test_waiting_run_keeps_its_parcel_and_can_be_taken_when_due(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(parcel=parcel_of(run, 0)))

    await store.ledger.end(wait(run, until=NOW + MINUTE, why="later"))
    waiting = await store.seen(run)
    too_early = await store.runs.take(run.run_id, holder="two", now=NOW, until=NOW + MINUTE)
    taken = await store.runs.take(run.run_id, holder="two", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    assert (waiting.status, waiting.holder, waiting.message) == (RunStatus.WAITING, "", "later")
    assert too_early is None
    assert taken is not None
    assert (taken.status, taken.message) == (RunStatus.RUNNING, "")
    assert await store.ledger.parcels(run.run_id) == [parcel_of(run, 0)]


async def test_end_moves_the_cursor_and_frees_the_source(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(parcel=parcel_of(run, 0)))

    await store.ledger.end(complete(run, now=NOW + MINUTE), cursor=NOW)
    found = await store.sources.find(source.source_id)
    following = await store.opened(replace(source, cursor=NOW), "r2")

    assert found is not None
    assert found.cursor == NOW
    assert (following.run_id, following.number, following.since) == ("r2", 2, NOW)
    assert await store.ledger.parcels(run.run_id) == []


async def test_what_a_run_did_not_see_is_condemned(store: Store, source: Source) -> None:
    first = await store.taken(source)
    await store.ledger.keep(first, Kept(accepted=dict.fromkeys(ids(1, 2, 3, 4), b"f")))
    await store.ledger.end(complete(first, now=NOW), cursor=NOW)
    run = await store.taken(source, "r2")

    await store.ledger.keep(run, Kept(seen=ids(1), accepted={ExternalId("2"): b"g"}))
    await store.ledger.condemn_unseen(run)

    assert await store.ledger.count_condemned(run) == 2
    assert await store.ledger.condemned(run, limit=1) == ["3"]
    assert await store.ledger.condemned(run, limit=9) == ["3", "4"]


async def test_condemned_contact_that_is_seen_again_is_spared(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(accepted=dict.fromkeys(ids(1, 2, 3), b"f")))
    await store.ledger.keep(run, Kept(condemned=ids(1, 2, 3, 99)))

    await store.ledger.keep(run, Kept(seen=ids(1), accepted={ExternalId("2"): b"g"}))

    assert await store.ledger.condemned(run, limit=9) == ["3"]


async def test_deleted_contact_is_not_known_any_more(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(accepted=dict.fromkeys(ids(1, 2), b"f")))

    await store.ledger.keep(run, Kept(condemned=ids(1)))
    await store.ledger.keep(run, Kept(deleted=ids(1)))

    assert await store.ledger.count_condemned(run) == 0
    assert set(await store.ledger.known(source.source_id, ids(1, 2))) == {"2"}


async def test_disowned_contact_is_known_and_changed_whatever_it_is(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.keep(run, Kept(accepted={ExternalId("1"): b"f"}))

    await store.ledger.disown(run, ids(1, 2))

    assert await store.ledger.known(source.source_id, ids(1, 2)) == {"1": b"", "2": b""}


async def test_sources_know_nothing_of_each_others_contacts(store: Store, source: Source) -> None:
    other = replace(source, source_id=SourceId("src_2"))
    await store.sources.put(other)
    mine, theirs = await store.taken(source), await store.taken(other, "r2")

    await store.ledger.keep(mine, Kept(accepted={ExternalId("1"): b"f"}))
    await store.ledger.condemn_unseen(theirs)

    assert await store.ledger.known(other.source_id, ids(1)) == {}
    assert await store.ledger.count_condemned(mine) == 0

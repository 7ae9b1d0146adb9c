"""What every store promises of sources and runs: memory, SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest

from services.source_polling.domain.errors import LeaseLostError
from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import RunId, RunStatus, approve, begin, complete, fail, hold
from services.source_polling.domain.source import Source, SourceId
from services.source_polling.ports.store import Kept
from services.source_polling.store.sources import MIGRATIONS, SqlSources
from services.source_polling.vault import Vault, WrongMasterKeyError
from tests.conformance.source_polling.store import KEPT, MINUTE, Store, ids, parcel_of
from tests.fixtures.databases import Databases
from tests.unit.source_polling.world import NOW, a_source


async def test_source_is_found_as_it_was_put(store: Store, source: Source) -> None:
    assert await store.sources.find(source.source_id) == source
    assert await store.sources.list() == [source]
    assert await store.sources.find(SourceId("other")) is None


async def test_id_is_given_once(store: Store, source: Source) -> None:
    assert not await store.sources.put(replace(source, name="another"))
    assert await store.sources.find(source.source_id) == source


async def test_change_leaves_the_cursor_alone(store: Store, source: Source) -> None:
    run = await store.taken(source)
    await store.ledger.end(complete(run, now=NOW), cursor=NOW)

    credentials = replace(source.credentials, client_secret="other")
    assert await store.sources.change(replace(source, name="new", enabled=False, credentials=credentials))
    changed = await store.sources.find(source.source_id)

    assert changed == replace(source, name="new", enabled=False, credentials=credentials, cursor=NOW)
    assert await store.sources.forget_cursor(source.source_id)
    assert await store.sources.find(source.source_id) == replace(changed, cursor=None)


async def test_source_that_is_not_there_is_not_changed(store: Store, source: Source) -> None:
    other = replace(source, source_id=SourceId("other"))

    assert not await store.sources.change(other)
    assert not await store.sources.forget_cursor(other.source_id)
    assert not await store.sources.delete(other.source_id)
    assert await store.runs.open(begin(other, RunId("r1"), full=True, now=NOW)) is None


async def test_deleted_source_leaves_nothing(store: Store, source: Source) -> None:
    run = await store.taken(source)
    kept = Kept(accepted={ExternalId("1"): b"f"}, skips=[Skip(ExternalId("2"), "why")], parcel=parcel_of(run, 0))
    await store.ledger.keep(run, kept)

    assert await store.sources.delete(source.source_id)

    assert await store.sources.find(source.source_id) is None
    assert await store.runs.find_run(source.source_id, run.run_id) is None
    assert await store.ledger.known(source.source_id, ids(1)) == {}
    assert (await store.runs.skips(run.run_id), await store.ledger.parcels(run.run_id)) == ([], [])
    with pytest.raises(LeaseLostError):
        await store.ledger.keep(run, Kept())


async def test_source_has_one_open_run_however_many_ask(store: Store, source: Source) -> None:
    runs = await asyncio.gather(*(store.opened(source, f"r{number}") for number in range(8)))

    assert len({run.run_id for run in runs}) == 1
    assert {run.number for run in runs} == {1}
    assert len(await store.runs.open_runs()) == 1


async def test_opening_by_schedule_plans_the_next(store: Store, source: Source) -> None:
    await store.runs.open(begin(source, RunId("r1"), full=False, now=NOW), next_run_at=NOW + 9 * MINUTE)

    found = await store.sources.find(source.source_id)

    assert found is not None
    assert found.next_run_at == NOW + 9 * MINUTE


async def test_runs_are_numbered_and_listed_newest_first(store: Store, source: Source) -> None:
    for number in range(3):
        run = await store.taken(source, f"r{number}")
        await store.ledger.end(fail(run, "why", now=NOW))

    newest = await store.runs.newest(source.source_id, limit=2, before=None)
    older = await store.runs.newest(source.source_id, limit=2, before=newest[-1].number)

    assert [run.number for run in (*newest, *older)] == [3, 2, 1]


async def test_run_is_held_by_one_until_its_lease_is_over(store: Store, source: Source) -> None:
    run = await store.taken(source)

    too_early = await store.runs.take(run.run_id, holder="two", now=NOW + MINUTE / 2, until=NOW + MINUTE)
    later = await store.runs.take(run.run_id, holder="two", now=NOW + MINUTE, until=NOW + 2 * MINUTE)

    assert too_early is None
    assert later is not None
    assert (later.holder, later.fence, later.begun_at) == ("two", run.fence + 1, NOW)


async def test_of_many_that_take_a_run_one_gets_it(store: Store, source: Source) -> None:
    run = await store.opened(source)

    taken = await asyncio.gather(
        *(store.runs.take(run.run_id, holder=f"p{each}", now=NOW, until=NOW + MINUTE) for each in range(8))
    )

    assert len([each for each in taken if each is not None]) == 1


async def test_renewed_lease_holds_and_a_lost_one_is_told(store: Store, source: Source) -> None:
    run = await store.taken(source)

    assert await store.runs.renew(run, until=NOW + 3 * MINUTE)
    assert await store.runs.take(run.run_id, holder="two", now=NOW + 2 * MINUTE, until=NOW + 9 * MINUTE) is None
    assert await store.runs.take(run.run_id, holder="two", now=NOW + 3 * MINUTE, until=NOW + 9 * MINUTE) is not None
    assert not await store.runs.renew(run, until=NOW + 9 * MINUTE)


async def test_holder_that_starts_again_lets_go_of_its_own_alone(store: Store, source: Source) -> None:
    run = await store.taken(source)

    await store.runs.release("two")
    held = await store.runs.take(run.run_id, holder="two", now=NOW, until=NOW + MINUTE)
    await store.runs.release("one")
    free = await store.runs.take(run.run_id, holder="two", now=NOW, until=NOW + MINUTE)

    assert held is None
    assert free is not None


async def test_how_many_are_known_is_fixed_when_a_run_is_first_taken(store: Store, source: Source) -> None:
    first = await store.taken(source)
    await store.ledger.keep(first, Kept(accepted=dict.fromkeys(ids(1, 2, 3), b"f")))
    await store.ledger.end(complete(first, now=NOW), cursor=NOW)

    second = await store.taken(source, "r2")
    await store.ledger.keep(second, Kept(accepted={ExternalId("4"): b"f"}))
    await store.runs.release("one")
    again = await store.runs.take(second.run_id, holder="two", now=NOW, until=NOW + MINUTE)

    assert (first.known, second.known) == (0, 3)
    assert again is not None
    assert again.known == 3


async def test_held_run_is_approved_once(store: Store, source: Source) -> None:
    run = await store.taken(source)
    held = hold(run, "too many", deletes=20, now=NOW)
    await store.ledger.end(held)

    first = await store.runs.reopen(approve(held, now=NOW))
    second = await store.runs.reopen(approve(held, now=NOW))
    taken = await store.runs.take(run.run_id, holder="two", now=NOW, until=NOW + MINUTE)

    assert (first, second) == (True, False)
    assert taken is not None
    assert taken.phase.value == "deleting"


async def test_held_run_is_superseded_by_the_next(store: Store, source: Source) -> None:
    run = await store.taken(source)
    held = hold(run, "too many", deletes=20, now=NOW)
    await store.ledger.end(held)

    await store.opened(source, "r2")

    assert (await store.seen(run)).status is RunStatus.FAILED
    assert not await store.runs.reopen(approve(held, now=NOW))


async def test_secrets_are_not_readable_in_the_database(databases: Databases) -> None:
    database = await databases.open("sqlite", MIGRATIONS)
    source = replace(a_source(), source_id=SourceId("src_1"))
    await SqlSources(database, cipher=Vault(b"m" * 32)).put(source)

    with pytest.raises(WrongMasterKeyError):
        await SqlSources(database, cipher=Vault(b"o" * 32)).list()


async def test_plan_is_kept_for_a_source_that_is_enabled(store: Store, source: Source) -> None:
    await store.sources.plan(source.source_id, at=NOW + 9 * MINUTE)
    planned = await store.sources.find(source.source_id)
    await store.sources.change(replace(source, enabled=False, next_run_at=None))
    await store.sources.plan(source.source_id, at=NOW)
    paused = await store.sources.find(source.source_id)

    assert planned is not None
    assert paused is not None
    assert (planned.next_run_at, paused.next_run_at) == (NOW + 9 * MINUTE, None)


async def test_oldest_runs_are_forgotten_with_their_skips(store: Store, source: Source) -> None:
    for number in range(KEPT + 2):
        run = await store.taken(source, f"r{number}")
        tally = run.tally.plus(skipped=1)
        await store.ledger.keep(replace(run, tally=tally), Kept(skips=[Skip(ExternalId("1"), "why")]))
        await store.ledger.end(fail(run, "why", now=NOW))

    left = await store.runs.newest(source.source_id, limit=9, before=None)

    assert [run.number for run in left] == [5, 4, 3]
    assert await store.runs.skips(RunId("r1")) == []
    assert len(await store.runs.skips(RunId("r4"))) == 1

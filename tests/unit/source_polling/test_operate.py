"""What an operator does with sources, and what the schedule does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.source_polling.domain.errors import (
    InvalidSourceError,
    NothingHeldError,
    RunNotFoundError,
    SourceNotFoundError,
)
from services.source_polling.domain.run import RunId, RunStatus
from services.source_polling.domain.source import Credentials, Schedule, SourceId, SourceKind
from services.source_polling.ports.fetching import Deferred, Failed
from tests.unit.source_polling.world import NOW, World, a_source, page, record

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    return World()


async def test_new_source_runs_first_after_one_interval(world: World) -> None:
    source = await world.made()

    assert source.next_run_at is not None
    assert NOW + DAY <= source.next_run_at <= NOW + DAY + timedelta(minutes=5)
    assert await world.operator.list() == [source]


@pytest.mark.parametrize(
    ("kind", "pointers"),
    [
        (SourceKind.CUSTOM, ["/settings/client_id", "/secrets/client_secret"]),
        (SourceKind.CONNECT, ["/secrets/api_key"]),
        (SourceKind.TELECRM, ["/settings/enterprise_id", "/secrets/token"]),
    ],
)
async def test_everything_that_is_wrong_is_told_at_once(world: World, kind: SourceKind, pointers: list[str]) -> None:
    world.objections["https://crm.example"] = "It leads to an address that the hub may not call."
    flawed = a_source(kind, credentials=Credentials(), schedule=Schedule(cron="never"))

    with pytest.raises(InvalidSourceError) as refused:
        await world.operator.create(flawed)

    assert [each.pointer for each in refused.value.violations] == ["/settings/url", *pointers, "/settings/cron"]
    assert await world.operator.list() == []


async def test_address_with_a_query_is_refused(world: World) -> None:
    """Paths put behind it would be a part of the query."""
    with pytest.raises(InvalidSourceError) as refused:
        await world.operator.create(replace(a_source(), url="https://crm.example/api?key=1"))

    assert [(each.pointer, each.code) for each in refused.value.violations] == [("/settings/url", "query_in_url")]


async def test_paused_source_has_no_next_run_until_it_is_enabled(world: World) -> None:
    source = await world.made()

    paused = await world.operator.switch(source.source_id, enabled=False)
    enabled = await world.operator.switch(source.source_id, enabled=True)

    assert (paused.enabled, paused.next_run_at) == (False, None)
    assert enabled.next_run_at is not None


async def test_test_reads_one_page_and_imports_nothing(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)), page(record(3)))

    found = await world.operator.test(source.source_id)
    world.source.write(Deferred(retry_after=HOUR, reason="The source asks to wait."))
    put_off = await world.operator.test(source.source_id)

    assert (found.message, found.seen) == ("", 2)
    assert put_off.message == "The source asks to wait."
    assert world.imports.taken == {}
    assert await world.operator.runs(source.source_id, limit=9, before=None) == []


async def test_sync_gives_the_run_that_goes_on(world: World) -> None:
    source = await world.made()

    first = await world.operator.sync(source.source_id, full=False)
    second = await world.operator.sync(source.source_id, full=True)

    assert first == second


async def test_reset_cursor_makes_the_next_run_a_full_one(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    await world.run(source)

    before = await world.operator.get(source.source_id)
    after = await world.operator.forget_cursor(source.source_id)

    assert (before.cursor, after.cursor) == (NOW, None)
    assert (await world.run(source)).full


@pytest.mark.parametrize("kind", [SourceKind.CONNECT, SourceKind.TELECRM])
async def test_source_that_tells_no_changes_is_read_whole_every_time(world: World, kind: SourceKind) -> None:
    source = await world.made(kind)
    world.source.write(page(record(1)))

    runs = [await world.run(source), await world.run(source)]

    assert [run.full for run in runs] == [True, True]


async def test_nothing_held_is_nothing_to_approve(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    await world.run(source)

    with pytest.raises(NothingHeldError):
        await world.operator.approve(source.source_id)


async def test_what_is_not_there_is_not_found(world: World) -> None:
    source = await world.made()
    await world.operator.delete(source.source_id)

    for asked in (
        world.operator.get(source.source_id),
        world.operator.delete(source.source_id),
        world.operator.sync(source.source_id, full=False),
        world.operator.change(replace(source, source_id=SourceId("other"))),
        world.operator.forget_cursor(source.source_id),
        world.operator.approve(source.source_id),
    ):
        with pytest.raises(SourceNotFoundError):
            await asked
    with pytest.raises(RunNotFoundError):
        await world.operator.run(source.source_id, RunId("run"))


async def test_schedule_opens_one_run_for_all_the_ticks_that_were_missed(world: World) -> None:
    source = await world.made(schedule=Schedule(interval=HOUR))
    world.pass_by(10 * HOUR)

    following = await world.poller().open_due()
    runs = await world.operator.runs(source.source_id, limit=9, before=None)

    assert len(runs) == 1
    assert following is not None
    assert world.time + HOUR <= following <= world.time + 2 * HOUR


async def test_schedule_leaves_a_paused_source_alone(world: World) -> None:
    source = await world.made()
    await world.operator.switch(source.source_id, enabled=False)
    world.pass_by(10 * DAY)

    assert await world.poller().open_due() is None
    assert await world.operator.runs(source.source_id, limit=9, before=None) == []


async def test_clock_that_is_set_back_keeps_no_source_waiting_for_ever(world: World) -> None:
    source = await world.made()
    world.pass_by(-400 * DAY)

    following = await world.poller().open_due()

    assert following is not None
    assert following <= world.time + 2 * DAY
    assert (await world.operator.get(source.source_id)).next_run_at == following


async def test_run_by_schedule_ends_like_any_other(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    world.pass_by(2 * DAY)
    await world.poller().open_due()

    [run] = await world.poller().open_runs()
    ended = await world.go_on(run)

    assert (run.source_id, ended.status) == (source.source_id, RunStatus.COMPLETED)


async def test_failed_run_is_tried_again_soon_and_not_after_a_day(world: World) -> None:
    source = await world.made()
    world.source.write(Failed(reason="The source answered 500.", retryable=True))

    await world.run(source)

    assert (await world.operator.get(source.source_id)).next_run_at == NOW + timedelta(minutes=15)

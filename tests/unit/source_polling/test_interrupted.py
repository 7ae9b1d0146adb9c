"""What a run does when something dies in the middle."""

import asyncio
from datetime import timedelta

import pytest

from services.source_polling.domain.errors import ImportRefusedError, PartUnavailableError
from services.source_polling.domain.run import Run, RunStatus
from tests.unit.source_polling.world import NOW, World, page, record

HOUR = timedelta(hours=1)


class Killed(BaseException):
    """The process is gone: nothing after it happens."""


@pytest.fixture
def world() -> World:
    return World()


def counts(run: Run, *names: str) -> tuple[int, ...]:
    return tuple(getattr(run.tally, name) for name in names)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_page_that_changes_while_its_import_is_in_doubt_loses_and_doubles_nothing(
    world: World, moment: str
) -> None:
    source = await world.made()
    world.source.write(page(record(1)), page(record(2)))
    getattr(world.imports, moment).append(PartUnavailableError("ingestion"))

    waiting = await world.run(source)
    world.source.write(page(record(1, first_name="Olga")), page(record(2)))
    world.pass_by(HOUR)
    ended = await world.go_on(waiting)

    assert (waiting.status, waiting.message) == (
        RunStatus.WAITING,
        "ingestion does not answer; the run goes on by itself.",
    )
    assert ended.status is RunStatus.COMPLETED
    assert world.imports.conflicts == []
    assert set(world.imports.contacts) == {"1", "2"}


async def test_killed_anywhere_it_goes_on_at_its_page(world: World) -> None:
    source = await world.made()
    world.source.write(*(page(record(number)) for number in range(10)))
    run = await world.operator.sync(source.source_id, full=False)

    for at in range(1, 10):
        world.source.before_page = _killing_at(str(at + 1))
        with pytest.raises(Killed):
            await world.go_on(run)
        await world.poller().let_go()
    world.source.before_page = lambda _: None
    ended = await world.go_on(run)

    assert (ended.status, counts(ended, "pages", "seen", "changed")) == (RunStatus.COMPLETED, (10, 10, 10))
    assert world.imports.conflicts == []
    assert len(world.imports.contacts) == len(world.imports.taken) == 10


def _killing_at(cursor: str):  # type: ignore[no-untyped-def]  # a callback
    def kill(asked: str) -> None:
        if asked == cursor:
            raise Killed

    return kill


async def test_run_that_another_holds_is_left_alone_until_its_lease_is_over(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    run = await world.operator.sync(source.source_id, full=False)
    await world.store.take(run.run_id, holder="two", now=NOW, until=NOW + HOUR)

    untouched = await world.go_on(run)
    world.pass_by(HOUR)
    ended = await world.go_on(run)

    assert untouched.tally.pages == 0
    assert ended.status is RunStatus.COMPLETED


async def test_holder_that_lost_its_lease_writes_nothing_more(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)), page(record(2)))
    run = await world.operator.sync(source.source_id, full=False)

    def take_over(cursor: str) -> None:
        if cursor == "":
            world.pass_by(2 * HOUR)
            taking = world.store.take(run.run_id, holder="two", now=world.time, until=world.time + HOUR)
            asyncio.get_running_loop().create_task(taking)

    world.source.before_page = take_over
    left = await world.go_on(run)

    assert (left.holder, left.tally.pages, left.status) == ("two", 0, RunStatus.RUNNING)
    assert world.imports.taken == {}


async def test_parcel_that_the_hub_refuses_is_brought_again_by_the_next_run(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    world.imports.before.append(ImportRefusedError("VALIDATION_ERROR"))

    refused = await world.run(source)
    ended = await world.run(source)

    assert (refused.status, refused.message) == (RunStatus.FAILED, "The hub refused a page: VALIDATION_ERROR.")
    assert (ended.status, set(world.imports.contacts)) == (RunStatus.COMPLETED, {"1"})


async def test_fault_of_the_hub_ends_the_run_with_a_reason(world: World) -> None:
    source = await world.made()
    world.source.pages = {}

    run = await world.run(source)

    assert (run.status, run.message) == (RunStatus.FAILED, "A fault of the hub (KeyError); its log has more.")


async def test_source_that_is_deleted_meanwhile_ends_its_run(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    run = await world.operator.sync(source.source_id, full=False)

    def delete(_: str) -> None:
        asyncio.get_running_loop().create_task(world.store.delete(source.source_id))

    world.source.before_page = delete
    await world.poller().go_on(run.run_id)

    assert await world.store.find_run(source.source_id, run.run_id) is None
    assert world.imports.taken == {}

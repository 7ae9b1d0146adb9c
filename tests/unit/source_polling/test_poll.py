"""What a run does, page by page."""

from datetime import timedelta

import msgspec
import pytest

from services.source_polling.domain.record import ExternalId, Skip
from services.source_polling.domain.run import Run, RunStatus
from services.source_polling.domain.source import SourceKind
from services.source_polling.ports.fetching import Deferred, Failed
from tests.unit.source_polling.world import NOW, World, page, record

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return World()


def counts(run: Run, *names: str) -> tuple[int, ...]:
    return tuple(getattr(run.tally, name) for name in names)


async def test_first_run_brings_everything_and_the_next_one_asks_for_changes(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)), page(record(3)))

    run = await world.run(source)
    world.pass_by(HOUR)
    world.source.write(page(record(2, first_name="Olga")))
    delta = await world.run(source)

    assert (run.status, run.full, counts(run, "pages", "seen", "changed")) == (RunStatus.COMPLETED, True, (2, 3, 3))
    assert (delta.full, delta.since, counts(delta, "seen", "changed")) == (False, NOW, (1, 1))
    assert world.source.since == [None, NOW]
    assert world.imports.contacts == {"1": "Anna", "2": "Olga", "3": "Anna"}


async def test_full_run_of_an_unchanged_source_imports_nothing(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)), page(record(3)))
    await world.run(source)
    taken = dict(world.imports.taken)

    run = await world.run(source, full=True)

    assert (run.status, counts(run, "changed", "unchanged")) == (RunStatus.COMPLETED, (0, 3))
    assert world.imports.taken == taken


async def test_cursor_is_the_time_before_the_first_page(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)), page(record(2)))
    world.source.before_page = lambda _: world.pass_by(HOUR)

    await world.run(source)

    assert (await world.operator.get(source.source_id)).cursor == NOW


async def test_the_sources_own_time_counts_when_it_is_behind_ours(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)))
    world.source.pages[""] = [
        type(first)(records=first.records, next=None, fingerprint=b"f", asked_at=NOW - HOUR)
        for first in [page(record(1))]
    ]

    await world.run(source)

    assert (await world.operator.get(source.source_id)).cursor == NOW - HOUR


async def test_failure_moves_no_cursor_and_keeps_what_came(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)), Failed(reason="The source answered 500.", retryable=True, retries=4))

    run = await world.run(source)

    assert (run.status, run.message, run.tally.retries) == (RunStatus.FAILED, "The source answered 500.", 4)
    assert (await world.operator.get(source.source_id)).cursor is None
    assert world.imports.contacts == {"1": "Anna"}


async def test_run_that_is_asked_for_patience_goes_on_at_its_page(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)), Deferred(retry_after=HOUR, reason="The source asks to wait."), page(record(3)))

    waiting = await world.run(source)
    too_early = await world.go_on(waiting)
    world.pass_by(HOUR)
    world.source.pages["2"] = [page(record(2))]
    ended = await world.go_on(waiting)

    assert (waiting.status, waiting.due_at) == (RunStatus.WAITING, NOW + HOUR)
    assert too_early == waiting
    assert (ended.status, counts(ended, "pages", "seen")) == (RunStatus.COMPLETED, (2, 2))
    assert world.source.asked == ["", "2", "2"]


async def test_rows_that_are_left_out_are_counted_and_listed(world: World) -> None:
    source = await world.made()
    skipped = Skip(ExternalId("7"), "It has no last name.")
    world.source.write(page(record(1), record(2, first_name="x" * 257), skipped=[skipped]))

    run = await world.run(source)
    _, listed = await world.operator.run(source.source_id, run.run_id)

    assert counts(run, "seen", "changed", "skipped") == (3, 1, 2)
    assert [each.external_id for each in listed] == ["7", "2"]


async def test_deletes_of_a_delta_travel_when_they_are_known(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.source.write(page(deleted=[2, 99]))

    run = await world.run(source)

    assert (run.status, run.tally.deleted) == (RunStatus.COMPLETED, 1)
    assert set(world.imports.contacts) == {"1"}


async def test_contact_that_is_deleted_and_made_again_stays(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.source.write(page(deleted=[1, 2]), page(record(2), deleted=[2]), page(record(1)))

    run = await world.run(source)

    assert run.tally.deleted == 0
    assert set(world.imports.contacts) == {"1", "2"}


async def test_absence_deletes_after_a_full_run_that_ended_well(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2), record(3)))
    await world.run(source)

    world.source.write(page(record(1)), Failed(reason="away", retryable=False))
    failed = await world.run(source, full=True)
    there_after_failure = set(world.imports.contacts)
    world.source.write(page(record(1), record(3)))
    run = await world.run(source, full=True)

    assert (failed.tally.deleted, there_after_failure) == (0, {"1", "2", "3"})
    assert run.tally.deleted == 1
    assert set(world.imports.contacts) == {"1", "3"}


async def test_row_that_is_left_out_now_is_not_deleted_for_it(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.source.write(page(record(1), skipped=[Skip(ExternalId("2"), "It has no first name.")]))

    run = await world.run(source, full=True)

    assert run.tally.deleted == 0


async def test_too_many_deletes_are_held_and_then_approved(world: World) -> None:
    source = await world.made()
    world.source.write(page(*map(record, range(50))))
    await world.run(source)
    before = (await world.operator.get(source.source_id)).cursor
    world.pass_by(HOUR)
    world.source.write(page(*map(record, range(30)), record(100)))

    held = await world.run(source, full=True)
    there_while_held = set(world.imports.contacts)
    cursor_while_held = (await world.operator.get(source.source_id)).cursor
    approved = await world.go_on(await world.operator.approve(source.source_id))

    assert (held.status, held.tally.held_deletes) == (RunStatus.HELD, 20)
    assert there_while_held == {*map(str, range(50)), "100"}
    assert cursor_while_held == before
    assert (approved.status, counts(approved, "deleted", "held_deletes")) == (RunStatus.COMPLETED, (20, 0))
    assert set(world.imports.contacts) == {*map(str, range(30)), "100"}


async def test_contact_that_came_back_is_not_among_the_approved_deletes_of_the_next_run(world: World) -> None:
    source = await world.made()
    world.source.write(page(*map(record, range(50))))
    await world.run(source)
    world.source.write(page(record(0)))
    held = await world.run(source, full=True)
    world.source.write(page(*map(record, range(20))))

    again = await world.run(source, full=True)
    await world.go_on(await world.operator.approve(source.source_id))

    assert (await world.seen(held)).status is RunStatus.FAILED
    assert again.tally.held_deletes == 30
    assert set(world.imports.contacts) == set(map(str, range(20)))


async def test_empty_answer_of_a_small_source_is_held_too(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.source.write(page())

    run = await world.run(source, full=True)

    assert (run.status, run.tally.held_deletes) == (RunStatus.HELD, 2)
    assert set(world.imports.contacts) == {"1", "2"}


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ({"": page(record(1), next="2"), "2": page(record(1), next="3")}, "the same as the one before"),
        ({"": page(record(1), next="2"), "2": page(record(2), next="2")}, "the same page again"),
        ({"": page(record(1), next="2"), "2": page(record(2), next="3"), "3": page(record(3), next="4")}, "max_pages"),
    ],
)
async def test_source_that_never_ends_is_stopped(world: World, pages: dict[str, object], why: str) -> None:
    source = await world.made(max_pages=3)
    world.source.pages = {cursor: [each] for cursor, each in pages.items()}  # type: ignore[list-item]  # pages all

    run = await world.run(source)

    assert run.status is RunStatus.FAILED
    assert why in run.message
    assert (await world.operator.get(source.source_id)).cursor is None


async def test_echo_is_not_brought_back_and_not_asked_about_again(world: World) -> None:
    source = await world.made(SourceKind.TELECRM)
    world.echoes.heard = {"1"}
    world.source.write(page(record(1), record(2)))

    run = await world.run(source)
    again = await world.run(source)

    assert counts(run, "changed", "echoes") == (1, 1)
    assert counts(again, "unchanged", "echoes") == (2, 0)
    assert world.echoes.asked[0].fields["phone"] == "+79000000001"
    assert set(world.imports.contacts) == {"2"}


async def test_only_fields_that_differ_are_asked_about_and_others_are_no_echo(world: World) -> None:
    source = await world.made(SourceKind.CONNECT)
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.echoes.asked.clear()
    world.source.write(page(record(1, first_name="Olga"), record(2, extra={"jobTitle": "CTO"})))

    await world.run(source)

    assert [(each.remote_id, each.fields) for each in world.echoes.asked] == [("1", {"first_name": "Olga"})]


async def test_contact_that_moved_past_the_reader_is_not_deleted(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)), page(record(3), record(4)))
    await world.run(source)
    # 1 is deleted behind the first page, which pulls 3 onto it, unread.
    world.source.write(page(record(1), record(2)), page(record(4)))
    world.source.pages[""].append(page(record(2), record(3), next="2"))

    run = await world.run(source, full=True)

    assert (run.status, counts(run, "pages", "seen", "deleted")) == (RunStatus.COMPLETED, (2, 3, 0))
    assert set(world.imports.contacts) == {"1", "2", "3", "4"}


async def test_second_look_that_fails_deletes_nothing(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)))
    await world.run(source)
    world.source.write(page(record(1)))
    world.source.pages[""].append(Failed(reason="away", retryable=False))

    run = await world.run(source, full=True)

    assert (run.status, run.message) == (RunStatus.FAILED, "away")
    assert set(world.imports.contacts) == {"1", "2"}


async def test_id_that_no_database_keeps_is_left_out_with_a_reason(world: World) -> None:
    source = await world.made()
    bad = msgspec.structs.replace(record(2), external_id=ExternalId("a\x00b"))
    world.source.write(page(record(1), bad, skipped=[Skip(ExternalId("c\x00d"), "It has no last name.")]))

    run = await world.run(source)
    _, skipped = await world.operator.run(source.source_id, run.run_id)

    assert counts(run, "changed", "skipped") == (1, 2)
    assert [each.external_id for each in skipped] == ["", ""]

"""Pages that are fetched while others are imported."""

from dataclasses import replace
from functools import partial

import pytest

from services.source_polling.digests import Digests
from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.run import RunStatus
from services.source_polling.domain.sifting import draft
from services.source_polling.handler import ahead
from services.source_polling.ports.fetching import FIRST, Failed
from tests.unit.source_polling.world import ScriptedSource, World, a_source, page, record

WRITE = partial(draft, fingerprint=Digests(bytes(32))(a_source()), may_echo=False)


@pytest.fixture
def world() -> World:
    return World()


async def test_pages_that_came_meanwhile_are_one_import_and_count_each(world: World) -> None:
    source = await world.made()
    world.source.write(*(page(record(number)) for number in range(10)))

    ended = await world.run(source)

    assert (ended.status, ended.tally.pages, ended.tally.seen, ended.tally.changed) == (
        RunStatus.COMPLETED,
        10,
        10,
        10,
    )
    assert (len(world.imports.contacts), len(world.imports.taken)) == (10, 1)


async def test_contact_on_two_pages_counts_on_both_and_is_imported_as_it_came_last(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1), record(2)), page(record(2, first_name="Olga"), record(3)))

    ended = await world.run(source)

    assert (ended.tally.seen, ended.tally.changed, ended.tally.unchanged) == (4, 3, 1)
    assert world.imports.contacts["2"] == "Olga"


async def test_contact_that_one_page_brings_and_the_next_deletes_is_gone(world: World) -> None:
    source = await world.made()
    await _read_once(world, source)
    world.source.write(page(record(7, first_name="Olga"), mark="a"), page(deleted=[7]))

    ended = await world.run(source)

    assert ended.tally.deleted == 1
    assert "7" not in world.imports.contacts


async def test_contact_that_one_page_deletes_and_the_next_brings_is_there(world: World) -> None:
    source = await world.made()
    await _read_once(world, source)
    world.source.write(page(deleted=[7]), page(record(7, first_name="Olga"), mark="a"))

    ended = await world.run(source)

    assert ended.tally.deleted == 0
    assert world.imports.contacts["7"] == "Olga"


async def _read_once(world: World, source: object) -> None:
    world.source.write(page(*map(record, range(20))))
    await world.run(source)  # type: ignore[arg-type]  # the source that was made


async def test_what_came_before_a_failure_is_kept(world: World) -> None:
    source = await world.made()
    world.source.write(page(record(1)), page(record(2)), Failed(reason="No.", retryable=False))

    ended = await world.run(source)

    assert (ended.status, ended.message, ended.tally.pages) == (RunStatus.FAILED, "No.", 2)
    assert set(world.imports.contacts) == {"1", "2"}


async def test_no_more_is_held_than_goes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "MOST_TOGETHER", 3)
    source = ScriptedSource()
    source.write(*(page(record(number), record(number + 100)) for number in range(9)))

    pages = ahead.PagesAhead(source, FIRST, lambda *_: None, write=WRITE)
    first = await pages.take()
    asked = len(source.asked)
    await pages.close()

    assert first is not None
    assert (first.pages, asked) == (1, 2)


async def test_large_pages_go_alone() -> None:
    source = ScriptedSource()
    source.write(*(replace(page(record(number)), size=ahead.MOST_BYTES) for number in range(3)))

    pages, taken = ahead.PagesAhead(source, FIRST, lambda *_: None, write=WRITE), []
    while (found := await pages.take()) is not None:
        taken.append(found.pages)

    assert taken == [1, 1, 1]


async def test_every_page_is_given_once_and_in_order() -> None:
    source = ScriptedSource()
    source.write(*(page(record(number), deleted=[number] if number % 7 == 3 else []) for number in range(200)))

    pages, seen = ahead.PagesAhead(source, FIRST, lambda *_: None, write=WRITE), []
    while (found := await pages.take()) is not None:
        seen += [each.external_id for each in found.drafts]

    assert seen == [ExternalId(str(number)) for number in range(200)]

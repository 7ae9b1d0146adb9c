"""The law of conservation: at each destination the counts of the rows' states add up to the rows received, always."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.storage import open_database
from services.ingestion.domain.client import Duplicates
from services.ingestion.domain.ids import ChunkId, DestinationId, JobId
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.redelivery import Selection
from services.ingestion.domain.status import JobRecord, JobStatus, contacts, destination_counts, job_status
from services.ingestion.handler.following import RowQuery
from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of
from tests.fixtures.databases import Databases
from tests.unit.ingestion.world import PATIENCE, World, client, contact, memory_store

DESTINATIONS = ("a", "b")
REPORTED = [state for state in RowState if state is not RowState.REJECTED]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, databases: Databases) -> Iterator[tuple[asyncio.Runner, World]]:
    """A world for all examples of a test, in a loop of its own: each example brings its own job."""
    with asyncio.Runner() as runner:
        if request.param == "memory":
            yield runner, World(memory_store())
            return
        database = runner.run(open_database(databases.url(request.param), migrations=MIGRATIONS))
        yield runner, World(SqlStore(database, phones_of=phones_of, patience=PATIENCE))
        runner.run(database.close())


rows = st.lists(st.sampled_from(["x", *(f"8900000000{digit}" for digit in range(4))]), min_size=1, max_size=6).filter(
    lambda phones: set(phones) != {"x"}
)
steps = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(["report", "report", "retry", "redeliver", "resolve"]),
            "chunk": st.integers(0, 2),
            "destination_id": st.sampled_from(DESTINATIONS),
            "round": st.integers(0, 2),
            "attempt_count": st.integers(1, 3),
            "final": st.booleans(),
            "states": st.lists(st.sampled_from(REPORTED), min_size=1, max_size=4).map(bytes),
        }
    ),
    max_size=8,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                                                           HealthCheck.data_too_large, HealthCheck.large_base_example]
)  # fmt: skip
@given(phones=rows, long=st.booleans(), last=st.booleans(), taken=steps)
def test_the_states_of_a_job_add_up_whatever_is_reported(
    place: tuple[asyncio.Runner, World], phones: list[str], *, long: bool, last: bool, taken: list[dict[str, Any]]
) -> None:
    runner, world = place
    body = [contact(0, phone=phone) for phone in phones]
    if long:
        body += [contact(number + 10) for number in range(1000)]
        body += [contact(0, phone=phone) for phone in phones]

    runner.run(_live(world, body, taken, Duplicates.KEEP_LAST if last else Duplicates.KEEP_ALL))


async def _live(world: World, body: list[dict[str, Any]], taken: list[dict[str, Any]], duplicates: Duplicates) -> None:
    job_id = await world.job(body, by=client(destinations=DESTINATIONS, duplicates=duplicates))
    before = await _check(world, job_id, len(body))
    for step in taken:
        world.later(1)
        match step["what"]:
            case "retry":
                await world.retries.retry(job_id, viewer=None)
            case "redeliver":
                await world.redeliveries.redeliver([_selection(job_id, step)])
            case "resolve":
                state = RowState.CREATED if step["final"] else RowState.FAILED
                await world.redeliveries.resolve([_selection(job_id, step)], state=state, reason="Seen.")
            case _:
                await _report(world, before, dict(step))
        before = await _check(world, job_id, len(body))


def _selection(job_id: JobId, step: dict[str, Any]) -> Selection:
    return Selection(
        chunk_id=ChunkId(f"{job_id}.{step['chunk']}"),
        destination_id=DestinationId(step["destination_id"]),
        round=step["round"],
        positions=(0, 2, 999),
        states=frozenset({RowState.FAILED, RowState.UNKNOWN}),
    )


async def _report(world: World, record: JobRecord, step: dict[str, Any]) -> None:
    sizes = {each.index: len(each.states) for each in record.deliveries}
    states, index = step.pop("states"), step.pop("chunk")
    step.pop("what")
    await world.tell(world.outcome(f"{record.job.job_id}.{index}", _tiled(states, sizes.get(index, 1)), **step))


def _tiled(states: bytes, size: int) -> bytes:
    return (states * (size // len(states) + 1))[:size]


async def _check(world: World, job_id: JobId, total: int) -> JobRecord:
    record = await world.store.find(job_id)
    assert record
    counts = destination_counts(record)
    assert {destination: sum(each.values()) for destination, each in counts.items()} == dict.fromkeys("ab", total)
    counted = contacts(record.deliveries)
    assert counted.sent + counted.failed <= record.job.valid
    ended = job_status(record.deliveries) >= JobStatus.COMPLETED
    assert (record.completed_at is not None) is ended
    assert ended is not any(RowState.PENDING in each.states for each in record.deliveries)
    await _check_rows(world, job_id, record)
    return record


async def _check_rows(world: World, job_id: JobId, record: JobRecord) -> None:
    """Every row is shown once, in the states that were counted."""
    page = await world.follow.rows(job_id, RowQuery(limit=10_000), viewer=None)
    assert [row.row_index for row in page.rows] == list(range(record.job.total))
    counts = destination_counts(record)[DestinationId("a")]
    shown = [each.state for row in page.rows for each in row.destinations if each.destination_id != "b"]
    assert {state: shown.count(state) for state in set(shown)} == counts

"""What every store of ingestion promises: memory, SQLite and PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from services.ingestion.domain.client import Origin
from services.ingestion.domain.errors import Invalid
from services.ingestion.domain.ids import ChunkId, ClientId, JobId, chunk_id
from services.ingestion.domain.job import Acceptance
from services.ingestion.domain.outcome import DeliveryState, RowState
from services.ingestion.domain.status import JobRecord
from services.ingestion.ports.store import JobQuery
from tests.unit.ingestion.world import BOOK, PATIENCE, START, World, client, contact, contacts

PENDING, CREATED, FAILED = RowState.PENDING, RowState.CREATED, RowState.FAILED
SECOND = timedelta(seconds=1)


async def record(world: World, job_id: JobId) -> JobRecord:
    found = await world.store.find(job_id)
    assert found
    return found


async def test_an_accepted_job_is_found_as_it_was(world: World) -> None:
    body = [contact(0), contact(1, phone="nonsense"), contact(2)]

    drafted = await world.imports.rehearse(await world.asked(body, by=client(destinations=["b", "a"])))
    job = replace(drafted.job, job_id=JobId("job"))
    chunks = [replace(chunk, chunk_id=ChunkId("job.0")) for chunk in drafted.chunks]
    accepted = await world.store.accept(Acceptance(job, chunks, drafted.rejected))

    found = await record(world, JobId("job"))
    assert (accepted.job, found.job) == (job, job)
    assert (found.updated_at, found.completed_at) == (START, None)
    assert [(each.destination_id, each.states) for each in found.deliveries] == [("a", b"\1\1"), ("b", b"\1\1")]
    assert [ticket.destination_id for ticket in accepted.tickets] == ["b", "a"]


async def test_a_job_accepted_twice_is_one_job_and_the_first_stays(world: World) -> None:
    drafted = await world.imports.rehearse(await world.asked(contacts(2)))
    first = replace(drafted.job, job_id=JobId("job"))
    second = replace(first, origin=Origin("another"), created_at=START + SECOND)
    chunks = [replace(chunk, chunk_id=ChunkId("job.0")) for chunk in drafted.chunks]

    both = await asyncio.gather(
        world.store.accept(Acceptance(first, chunks, [])), world.store.accept(Acceptance(second, chunks, []))
    )

    assert both[0].job == both[1].job == (await record(world, JobId("job"))).job
    assert sorted(len(each.tickets) for each in both) == [0, 1]
    assert len(await world.store.newest(JobQuery(limit=10, client_id=None))) == 1


async def test_what_is_unknown_is_not_found(world: World) -> None:
    outcome = world.outcome("none.0", [CREATED])

    await world.tell(outcome, structs.replace(outcome, chunk_id=ChunkId("not a chunk's id")))

    assert await world.store.find(JobId("none")) is None
    assert await world.store.chunks([ChunkId("none.0"), ChunkId("")], enough=1) == [None, None]


async def test_a_chunk_is_given_to_delivery(world: World) -> None:
    job_id = await world.job([contact(7, additionalFields={"k": [1, 2]})])

    [chunk] = await world.store.chunks([chunk_id(job_id, index=0)], enough=1)

    assert chunk
    assert (chunk.client_id, chunk.size, chunk.correlation_id) == ("shop", 1, "request-1")
    assert chunk.created_at == (await record(world, job_id)).job.created_at
    assert chunk.body == '[{"phone":"+79000000007","tags":["лид"],"additionalFields":{"k": [1, 2]}}]'.encode()


async def test_of_chunks_that_are_more_than_enough_the_first_are_given(world: World) -> None:
    ids = [chunk_id(await world.job([contact(n)]), index=0) for n in range(3)]
    asked = [ids[2], ChunkId("none.0"), ids[0], ids[1]]
    [first] = await world.store.chunks([ids[0]], enough=1)
    assert first

    async def given(enough: int) -> list[ChunkId | None]:
        return [each.chunk_id if each else None for each in await world.store.chunks(asked, enough=enough)]

    assert await given(1) == [ids[2]]
    assert await given(2 * len(first.body)) == [ids[2], None, ids[0]]
    assert await given(1 << 20) == [ids[2], None, ids[0], ids[1]]


async def test_outcomes_told_together_are_merged_in_their_order(world: World) -> None:
    job_id, other = await world.job(contacts(2)), await world.job(contacts(1))
    first = structs.replace(world.outcome(f"{job_id}.0", [CREATED, RowState.PENDING]), final=False)

    await world.tell(
        world.outcome(f"{other}.0", [CREATED]),
        first,
        structs.replace(first, attempt_count=2, row_states=bytes([RowState.PENDING, CREATED]), final=True),
        world.outcome("none.0", [CREATED]),
    )

    for each in (job_id, other):
        found = await record(world, each)
        assert found.deliveries[0].states == bytes([CREATED]) * found.job.total
        assert found.completed_at


async def test_an_outcome_is_kept_and_ends_the_job(world: World) -> None:
    job_id = await world.job(contacts(3))
    ended = world.later(5)

    await world.tell(
        world.outcome(f"{job_id}.0", [CREATED, RowState.UNCHANGED, FAILED], reasons={2: "No."}, error_message="Some.")
    )

    found = await record(world, job_id)
    (delivery,) = found.deliveries
    assert delivery.state is DeliveryState.SENT
    assert (delivery.attempt_count, delivery.last_attempt_at, delivery.sent_at) == (1, ended, ended)
    assert (delivery.response_status_code, delivery.error_message, delivery.reasons) == (200, "Some.", {2: "No."})
    assert (found.updated_at, found.completed_at) == (ended, ended)


async def test_the_last_of_several_chunks_ends_the_job(world: World) -> None:
    job_id = await world.job(contacts(1001))

    await world.tell(world.outcome(f"{job_id}.1", [CREATED]))
    before = await record(world, job_id)
    await world.tell(world.outcome(f"{job_id}.0", [CREATED] * 1000))

    assert before.completed_at is None
    assert (await record(world, job_id)).completed_at == world.now


async def test_outcomes_that_come_together_are_all_counted(world: World) -> None:
    names = [f"d{number}" for number in range(8)]
    job_id = await world.job(contacts(1), by=client(destinations=names))
    outcomes = [world.outcome(f"{job_id}.0", [CREATED], destination_id=name) for name in names]

    await asyncio.gather(*(world.tell(outcome) for outcome in (*outcomes, *outcomes)))

    assert (await record(world, job_id)).completed_at == world.now


async def test_an_outcome_of_the_wrong_size_is_refused_and_undoes_its_batch(world: World) -> None:
    job_id = await world.job(contacts(1001))

    with pytest.raises(Invalid):
        await world.tell(
            world.outcome(f"{job_id}.0", [CREATED] * 1000), world.outcome(f"{job_id}.1", [CREATED, CREATED])
        )

    assert (await record(world, job_id)).deliveries[0].states == bytes([PENDING] * 1000)


async def test_an_ordered_job_lets_one_chunk_go_after_the_other(world: World) -> None:
    job_id = await world.job([*contacts(2000), contact(0)], by=client(destinations=["a", "b"]))
    before = list(world.heard.tickets)

    await world.tell(world.outcome(f"{job_id}.0", [CREATED] * 1000, destination_id="a"))
    after_first = world.heard.tickets[len(before) :]
    await world.tell(world.outcome(f"{job_id}.0", [CREATED] * 1000, destination_id="a"))
    await world.tell(world.outcome(f"{job_id}.1", [FAILED] * 1000, destination_id="a"))

    assert {ticket.chunk_id for ticket in before} == {f"{job_id}.0"}
    assert [(ticket.chunk_id, ticket.destination_id) for ticket in after_first] == [(f"{job_id}.1", "a")]
    assert after_first[0].correlation_id == "request-1"
    assert [ticket.chunk_id for ticket in world.heard.tickets[len(before) :]] == [f"{job_id}.1", f"{job_id}.2"]


async def test_a_delivery_stays_in_the_outbox_until_it_is_made_known(world: World) -> None:
    job_id = await world.job(contacts(1))
    tickets = await world.store.unpublished(limit=10)

    world.store.published(tickets, at=world.now, due_at=world.now + 2 * PATIENCE)
    while await world.store.unpublished(limit=10):  # noqa: ASYNC110 - the store tells nobody when a mark is on disk
        await asyncio.sleep(0)

    assert [ticket.chunk_id for ticket in tickets] == [f"{job_id}.0"]
    assert tickets == world.heard.tickets
    assert not await world.store.unpublished(limit=10)
    assert not await world.store.overdue(now=world.now + PATIENCE, limit=10)
    assert await world.store.overdue(now=world.now + 2 * PATIENCE, limit=10) == tickets


async def test_the_outbox_tells_how_much_waits_and_since_when(world: World) -> None:
    done, waiting = await world.job(contacts(1)), await world.job(contacts(1))
    await world.job([*contacts(1000), contact(0)])
    await world.tell(world.outcome(f"{done}.0", [CREATED]))
    known = [ticket for ticket in await world.store.unpublished(limit=10) if ticket.chunk_id == f"{waiting}.0"]
    world.store.published(known, at=world.now, due_at=world.now + PATIENCE)
    while len(await world.store.unpublished(limit=10)) > 1:  # noqa: ASYNC110 - the store tells nobody when a mark is on disk
        await asyncio.sleep(0)

    depth = await world.store.depth()

    assert (depth.unfinished, depth.unpublished, depth.oldest_at) == (2, 1, world.now)


async def test_what_is_done_or_held_or_waits_for_its_next_try_is_not_overdue(world: World) -> None:
    done = await world.job(contacts(1))
    waiting = await world.job(contacts(1))
    held = await world.job([*contacts(1000), contact(0)])
    next_try = world.now + timedelta(minutes=10)
    await world.tell(
        world.outcome(f"{done}.0", [CREATED]),
        world.outcome(f"{waiting}.0", [PENDING], final=False, next_attempt_at=next_try),
    )

    soon = await world.store.overdue(now=world.now + PATIENCE, limit=10)
    later = await world.store.overdue(now=next_try + PATIENCE, limit=10)

    assert [ticket.chunk_id for ticket in soon] == [f"{held}.0"]
    assert [ticket.chunk_id for ticket in later] == [f"{held}.0", f"{waiting}.0"]
    assert len(await world.store.overdue(now=next_try + PATIENCE, limit=1)) == 1


async def test_failed_rows_are_tried_again_in_a_round_of_their_own(world: World) -> None:
    job_id = await world.job(contacts(3))
    await world.tell(world.outcome(f"{job_id}.0", [FAILED, CREATED, FAILED], reasons={0: "No.", 1: "Odd."}))
    world.store.published(world.heard.tickets, at=world.now, due_at=world.now + PATIENCE)
    world.later(60)

    retried, rows = await world.retries.retry(job_id, viewer=None)
    again, same_rows = await world.retries.retry(job_id, viewer=None)

    (delivery,) = retried.deliveries
    assert (rows, same_rows, again) == (2, 2, retried)
    assert (delivery.round, delivery.positions, delivery.earlier_attempts) == (1, (0, 2), 1)
    assert delivery.states == bytes([PENDING, CREATED, PENDING])
    assert delivery.reasons == {1: "Odd."}
    assert retried.completed_at is None
    ticket = world.heard.tickets[-1]
    assert (len(world.heard.tickets), ticket.round, ticket.positions) == (2, 1, (0, 2))
    assert await world.store.unpublished(limit=10) == [ticket]


async def test_a_retry_ends_the_job_again(world: World) -> None:
    job_id = await world.job(contacts(2))
    await world.tell(world.outcome(f"{job_id}.0", [FAILED, FAILED]))
    await world.retries.retry(job_id, viewer=None)
    world.later(60)

    await world.tell(world.outcome(f"{job_id}.0", [CREATED, FAILED], round=1))

    found = await record(world, job_id)
    assert found.deliveries[0].states == bytes([CREATED, FAILED])
    assert found.completed_at == world.now


async def test_rows_are_found_with_all_that_is_known_of_them(world: World) -> None:
    body = [contact(0, note="kept"), contact(1, phone="nonsense"), contact(0), contact(3)]
    job_id = await world.job(body)

    chunk = await world.store.chunk_after(job_id, row=-1)
    rejected = await world.store.rejected_after(job_id, row=0, limit=10)

    assert chunk
    assert list(chunk.rows) == [0, 2, 3]
    assert chunk.phones == ["+79000000000", "+79000000000", "+79000000003"]
    assert list(chunk.details.original_phones) == ["89000000000", "89000000000", "89000000003"]
    assert chunk.details.duplicate_of == {1: 0}
    assert chunk.details.unknown == {0: b'{"note":"kept"}'}
    assert [each.destination_id for each in chunk.deliveries] == [BOOK]
    assert [(row.row_index, row.code, row.pointer) for row in rejected] == [(1, "not_a_number", "/1/phone")]
    assert await world.store.chunk_after(job_id, row=3) is None
    assert not await world.store.rejected_after(job_id, row=1, limit=10)


async def test_chunks_are_found_by_the_rows_behind_an_index(world: World) -> None:
    job_id = await world.job(contacts(1002))

    first, second = [await world.store.chunk_after(job_id, row=row) for row in (998, 999)]

    assert first
    assert second
    assert (first.rows[-1], list(second.rows)) == (999, [1000, 1001])


async def test_jobs_are_listed_newest_first_and_in_pages(world: World) -> None:
    jobs = []
    for name in ("shop", "other", "shop"):
        jobs.append(await world.job(contacts(1), by=client(name)))
        world.later(1)
    first, second, third = jobs

    everyone = await world.store.newest(JobQuery(limit=2, client_id=None))
    last = everyone[-1].job
    rest = await world.store.newest(JobQuery(limit=2, client_id=None, before=(last.created_at, last.job_id)))
    of_client = await world.store.newest(JobQuery(limit=9, client_id=ClientId("shop"), correlation_id="request-1"))
    of_another = await world.store.newest(JobQuery(limit=9, client_id=None, correlation_id="another"))

    assert [each.job.job_id for each in (*everyone, *rest)] == [third, second, first]
    assert [each.job.job_id for each in of_client] == [third, first]
    assert [len(each.deliveries) for each in of_client] == [1, 1]
    assert not of_another

"""Rows that an operator of delivery has sent again, or knows the fate of."""

import asyncio

from services.ingestion.domain.ids import ChunkId
from services.ingestion.domain.outcome import DeliveryState, RowState
from services.ingestion.domain.redelivery import Redelivery, Selection, Verdict
from tests.conformance.ingestion.test_store import CREATED, FAILED, PENDING, record
from tests.unit.ingestion.world import BOOK, World, contacts

UNKNOWN = RowState.UNKNOWN


def rows(job_id: str, *positions: int, number: int = 0, states: frozenset[RowState] = frozenset({FAILED})) -> Selection:
    chunk_id = ChunkId(f"{job_id}.0")
    return Selection(chunk_id=chunk_id, destination_id=BOOK, round=number, positions=positions, states=states)


async def test_just_the_rows_that_are_named_get_the_next_round(world: World) -> None:
    job_id = await world.job(contacts(4))
    await world.tell(world.outcome(f"{job_id}.0", [FAILED, CREATED, FAILED, UNKNOWN], reasons={0: "No.", 2: "No."}))
    told = len(world.heard.tickets)

    [answer] = await world.redeliveries.redeliver([rows(job_id, 1, 2, 3, 17)])

    states = bytes([FAILED, CREATED, PENDING, UNKNOWN])
    assert answer == Redelivery(verdict=Verdict.STARTED, round=1, states=states)
    [ticket] = world.heard.tickets[told:]
    assert (ticket.chunk_id, ticket.round, tuple(ticket.positions)) == (f"{job_id}.0", 1, (2,))
    [delivery] = (await record(world, job_id)).deliveries
    assert (delivery.states, delivery.reasons, delivery.earlier_attempts) == (states, {0: "No."}, 1)
    assert (await record(world, job_id)).completed_at is None
    assert await world.store.unpublished(limit=10)


async def test_the_job_ends_again_with_the_round(world: World) -> None:
    job_id = await world.job(contacts(2))
    await world.tell(world.outcome(f"{job_id}.0", [FAILED, FAILED]))
    await world.redeliveries.redeliver([rows(job_id, 0)])
    world.later(60)

    await world.tell(world.outcome(f"{job_id}.0", [CREATED, PENDING], round=1))

    found = await record(world, job_id)
    assert found.deliveries[0].states == bytes([CREATED, FAILED])
    assert found.completed_at == world.now


async def test_asked_twice_it_begins_one_round(world: World) -> None:
    job_id = await world.job(contacts(1))
    await world.tell(world.outcome(f"{job_id}.0", [FAILED]))

    answers = await asyncio.gather(*(world.redeliveries.redeliver([rows(job_id, 0)]) for _ in range(4)))

    verdicts = [answer.verdict for [answer] in answers]
    assert sorted(verdicts) == [Verdict.STARTED, Verdict.LATER, Verdict.LATER, Verdict.LATER]
    assert (await record(world, job_id)).deliveries[0].round == 1


async def test_what_is_not_to_be_sent_again_is_told_apart(world: World) -> None:
    done, running = await world.job(contacts(1)), await world.job(contacts(1))
    await world.tell(world.outcome(f"{done}.0", [CREATED]))

    answers = await world.redeliveries.redeliver([rows(done, 0), rows(running, 0), rows("none", 0), rows(done, 0)])

    assert [answer.verdict for answer in answers] == [
        Verdict.NOTHING,
        Verdict.UNFINISHED,
        Verdict.NOTHING,
        Verdict.NOTHING,
    ]
    assert [answer.states for answer in answers[:3]] == [bytes([CREATED]), bytes([PENDING]), b""]


async def test_an_operators_word_for_unknown_rows_is_taken(world: World) -> None:
    job_id = await world.job(contacts(3))
    await world.tell(world.outcome(f"{job_id}.0", [UNKNOWN, UNKNOWN, FAILED], error_message="Lost."))
    before = (await record(world, job_id)).deliveries[0].state

    [states] = await world.redeliveries.resolve([rows(job_id, 0, 2, 99)], state=CREATED, reason="")
    again = await world.redeliveries.resolve([rows(job_id, 0)], state=FAILED, reason="No.")

    [delivery] = (await record(world, job_id)).deliveries
    assert states == delivery.states == bytes([CREATED, UNKNOWN, FAILED])
    assert again == [delivery.states]
    assert (before, delivery.state) == (DeliveryState.FAILED, DeliveryState.SENT)
    assert (delivery.reason(0), delivery.reason(1)) == ("", "Lost.")


async def test_rows_that_had_not_arrived_are_failed_and_can_be_sent_again(world: World) -> None:
    job_id = await world.job(contacts(2))
    await world.tell(world.outcome(f"{job_id}.0", [UNKNOWN, CREATED]))

    [states] = await world.redeliveries.resolve([rows(job_id, 0, 1)], state=FAILED, reason="Not there.")
    resolved = (await record(world, job_id)).deliveries[0]
    [answer] = await world.redeliveries.redeliver([rows(job_id, 0)])

    assert (states, resolved.reason(0)) == (bytes([FAILED, CREATED]), "Not there.")
    assert answer.verdict is Verdict.STARTED
    assert await world.redeliveries.resolve([rows("none", 0)], state=CREATED, reason="") == [b""]

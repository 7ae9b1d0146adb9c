"""A destination that goes on gets the newest version of each contact, and what it may have already is left alone."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from services.delivery.domain.answer import NoAnswer, RowFailure
from services.delivery.domain.delivery import ChunkId, Delivery, DeliveryState, RowState
from services.delivery.handler.collapsing import Collapser, Collapsing
from tests.unit.delivery.world import HOOK, NOW, Crash, World, ref

CREATED, UNCHANGED = RowState.CREATED, RowState.UNCHANGED
ANNA, BORIS = {"phone": "+79000000001"}, {"phone": "+79000000002"}


@pytest.fixture
async def world() -> World:
    world = World()
    await world.hook()
    await world.pause(HOOK)
    return world


async def import_(world: World, chunk_id: str, *contacts: dict[str, Any], minute: int, source: str = "") -> None:
    world.chunks.keep(chunk_id, contacts=list(contacts))
    chunk = world.chunks.chunks[chunk_id]
    accepted = NOW + timedelta(minutes=minute)
    world.chunks.chunks[chunk_id] = replace(chunk, created_at=accepted, source_id=source)
    await world.deliverer.deliver([ref(chunk_id)])


async def drain(world: World) -> None:
    while await world.deliverer.wake(HOOK):
        pass


async def states(world: World, *chunk_ids: str) -> list[bytes]:
    return [(await world.state(ref(each))).states for each in chunk_ids]


async def test_only_the_newest_version_is_sent_and_the_older_say_why(world: World) -> None:
    await import_(world, "b.0", ANNA, minute=2)
    await import_(world, "a.0", ANNA, BORIS, minute=1)
    await world.resume(HOOK)

    await drain(world)

    assert await states(world, "a.0", "b.0") == [bytes([UNCHANGED, CREATED]), bytes([CREATED])]
    assert (await world.state(ref("a.0"))).failures == (RowFailure(position=0, reason="superseded by a newer version"),)
    assert [parcel.ref.positions for parcel in world.receiver.parcels] == [(), (1,)]
    assert {told.ref.key.chunk_id for told in world.reports.told if told.is_final} == {"a.0", "b.0"}


async def test_a_delivery_of_which_nothing_is_left_ends_and_is_told(world: World) -> None:
    for minute in range(5):
        await import_(world, f"j{minute}.0", ANNA, minute=minute)
    await world.resume(HOOK)

    await drain(world)

    assert [parcel.chunk.chunk_id for parcel in world.receiver.parcels] == ["j4.0"]
    assert await states(world, *(f"j{at}.0" for at in range(4))) == [bytes([UNCHANGED])] * 4
    assert len([told for told in world.reports.told if told.state is DeliveryState.DONE]) == 5


async def test_a_deletion_is_a_version_like_any_other(world: World) -> None:
    await import_(world, "a.0", {**ANNA, "deleted": True}, minute=2)
    await import_(world, "b.0", ANNA, minute=1)
    await import_(world, "c.0", {**BORIS, "deleted": True}, minute=1)
    await import_(world, "d.0", BORIS, minute=2)
    await world.resume(HOOK)

    await drain(world)

    assert {parcel.chunk.chunk_id for parcel in world.receiver.parcels} == {"a.0", "d.0"}


@pytest.mark.parametrize(
    ("older", "newer", "same"),
    [
        ({"external_id": "7", "phone": "+79000000001"}, {"external_id": "7", "phone": "+79000000009"}, True),
        ({"external_id": "7", "phone": "+79000000001"}, {"external_id": "8", "phone": "+79000000001"}, False),
        (
            {"phone": "", "emails": [{"email": "a@b.example"}]},
            {"phone": "", "emails": [{"email": "a@b.example"}]},
            True,
        ),
        ({"phone": "+79000000001"}, {"phone": "", "emails": [{"email": "a@b.example"}]}, False),
        ({"phone": ""}, {"phone": ""}, False),
    ],
)
async def test_a_contact_is_known_by_its_external_id_else_its_phone_else_its_first_email(
    *, world: World, older: dict[str, Any], newer: dict[str, Any], same: bool
) -> None:
    await import_(world, "a.0", older, minute=1)
    await import_(world, "b.0", newer, minute=2)
    await world.resume(HOOK)

    await drain(world)

    assert len(world.receiver.parcels) == (1 if same else 2)


async def test_external_ids_of_two_sources_are_apart(world: World) -> None:
    await import_(world, "a.0", {"external_id": "7", "phone": ""}, minute=1, source="src-1")
    await import_(world, "b.0", {"external_id": "7", "phone": ""}, minute=2, source="src-2")
    await world.resume(HOOK)

    await drain(world)

    assert len(world.receiver.parcels) == 2


async def test_what_may_have_arrived_is_left_alone(world: World) -> None:
    await world.destinations.resumed(HOOK)
    await world.destinations.set_paused(HOOK, paused=False)
    await world.destinations.resumed(HOOK)
    world.receiver.answers = [NoAnswer(message="cut", reached=True)]
    await import_(world, "a.0", ANNA, minute=1)
    await world.pause(HOOK)
    await import_(world, "b.0", ANNA, minute=2)
    await world.resume(HOOK)
    world.clock.advance(timedelta(minutes=1))

    await drain(world)

    assert await states(world, "a.0", "b.0") == [bytes([CREATED]), bytes([CREATED])]


async def test_interrupted_it_is_done_again_to_the_same_end(world: World) -> None:
    for minute in range(4):
        await import_(world, f"j{minute}.0", ANNA, minute=minute)
    await world.resume(HOOK)
    world.reports.fault = Crash()
    with pytest.raises(Crash):
        await world.deliverer.wake(HOOK)
    world = world.restarted()

    await drain(world)

    assert [parcel.chunk.chunk_id for parcel in world.receiver.parcels] == ["j3.0"]
    assert await states(world, "j0.0", "j1.0", "j2.0") == [bytes([UNCHANGED])] * 3


async def test_a_backlog_larger_than_what_is_compared_at_once_is_gone_through_in_slices(world: World) -> None:
    people = [{"phone": f"+7900{number:07}"} for number in range(30)]
    for minute in range(3):
        await import_(world, f"j{minute}.0", *people, minute=minute)
    destination = await world.destinations.find(HOOK)
    assert destination is not None
    collapsing = Collapsing(
        ledger=world.ledger, backlog=world.ledger, chunks=world.chunks, outcomes=world.reports, clock=world.clock
    )

    await Collapser(collapsing, most=4).collapse(destination)

    assert await states(world, "j0.0", "j1.0") == [bytes([UNCHANGED]) * 30] * 2
    assert (await world.state(ref("j2.0"))).attempt_count == 0


async def test_what_came_while_it_was_held_waits_until_it_goes_on(world: World) -> None:
    await world.resume(HOOK)
    held = await world.destinations.find(HOOK)
    await import_(world, "a.0", ANNA, minute=1)
    before = len(world.receiver.parcels)

    await drain(world)

    assert held is not None
    assert held.is_held
    assert (before, len(world.receiver.parcels)) == (0, 1)


async def test_an_unpaused_destination_has_nothing_to_take_out() -> None:
    world = World()
    await world.hook()

    await world.resume(HOOK)

    destination = await world.destinations.find(HOOK)
    assert destination is not None
    assert not destination.resuming


async def test_a_claim_made_meanwhile_wins(world: World) -> None:
    await import_(world, "a.0", ANNA, minute=1)
    known = await world.state(ref("a.0"))
    claimed = structs.replace(known, due_at=NOW + timedelta(seconds=30), fence=known.fence + 1)
    await world.ledger.claim(claimed, now=NOW)

    taken_out = await world.ledger.exchange(known, _ended(known))

    assert not taken_out
    assert await world.state(ref("a.0")) == claimed


def _ended(delivery: Delivery) -> Delivery:
    assert delivery.ref.key.chunk_id == ChunkId("a.0")
    return structs.replace(delivery, state=DeliveryState.DONE, due_at=None, attempt_count=1)

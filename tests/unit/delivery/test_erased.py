"""Contacts that were erased while their delivery was on its way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.delivery.domain.answer import Refused
from tests.unit.delivery.world import HOOK, World, ref


@pytest.fixture
async def world() -> World:
    world = World()
    await world.hook()
    return world


async def test_erased_contacts_are_not_sent(world: World) -> None:
    world.chunks.keep("job.0", size=3)
    world.chunks.chunks["job.0"] = replace(world.chunks.chunks["job.0"], erased=(1,))

    await world.deliverer.deliver([ref()])

    assert [parcel.ref.positions for parcel in world.receiver.parcels] == [(0, 2)]
    assert (await world.state(ref())).states == b"\x02\x00\x02"


async def test_contacts_erased_between_two_tries_are_not_sent_again(world: World) -> None:
    world.chunks.keep("job.0", size=3)
    world.receiver.answers.append(Refused(status=503, message="later"))
    await world.deliverer.deliver([ref()])
    world.chunks.chunks["job.0"] = replace(world.chunks.chunks["job.0"], erased=(0,))
    world.clock.advance(timedelta(hours=1))

    await world.deliverer.wake(HOOK)

    assert [parcel.ref.positions for parcel in world.receiver.parcels] == [(), (1, 2)]
    assert (await world.state(ref())).states == b"\x00\x02\x02"


async def test_a_chunk_of_which_nothing_is_left_ends_without_a_try(world: World) -> None:
    world.chunks.keep("job.0", size=2)
    world.chunks.chunks["job.0"] = replace(world.chunks.chunks["job.0"], erased=(0, 1))

    await world.deliverer.deliver([ref()])

    assert world.receiver.parcels == []
    assert [(told.is_final, told.message) for told in world.reports.told] == [(True, "Every contact was erased.")]

"""Replicas of delivery share what a destination bears."""

import pytest

from services.delivery.store.sharing import SharedDestinations
from tests.unit.delivery.world import HOOK, World


@pytest.mark.parametrize(("replicas", "concurrency", "rate"), [(1, 5, 9.0), (2, 2, 4.5), (9, 1, 1.0)])
async def test_each_replica_has_its_part_of_parts_at_once_and_a_second(
    replicas: int, concurrency: int, rate: float
) -> None:
    world = World()
    await world.hook(concurrency=5, rate=9.0)
    shared = SharedDestinations(world.destinations, replicas=replicas)

    found, listed = await shared.find(HOOK), await shared.list()

    assert found is not None
    assert (found.concurrency, found.rate) == (concurrency, rate)
    assert found in listed

"""The purge goes on whatever happens."""

import asyncio
from datetime import datetime, timedelta

import pytest

from services.idempotency.scheduler import purge_regularly
from services.idempotency.store.memory import MemoryKeys
from tests.unit.idempotency.world import LIMITS, World, request


class _FlakyKeys(MemoryKeys):
    """Fails at first, and tells when nothing is left to forget."""

    def __init__(self) -> None:
        super().__init__()
        self.failed = False
        self.emptied = asyncio.Event()

    async def forget_expired(self, now: datetime, *, limit: int) -> int:
        if not self.failed:
            self.failed = True
            raise OSError
        forgotten = await super().forget_expired(now, limit=limit)
        if not forgotten:
            self.emptied.set()
        return forgotten


async def test_expired_keys_go_in_small_steps_though_a_round_failed() -> None:
    store = _FlakyKeys()
    world = World(store)
    for batch in range(5):
        await world.idempotency.begin([request(f"key {batch}.{index}") for index in range(256)])
    world.clock.move(LIMITS.lifetime)

    task = asyncio.create_task(purge_regularly(world.idempotency, every=timedelta(milliseconds=1)))
    await asyncio.wait_for(store.emptied.wait(), 10)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert await store.find(request("key 0.0").key) is None
    assert store.failed

"""What a bus says of the messages that nobody has dealt with, asked of each."""

import asyncio

from libs.bus import DELIVERY, Ack, Bus, Message, Verdict
from tests.conformance.test_bus import bus, consuming, publish
from tests.fixtures.waiting import PATIENCE_SECONDS

__all__ = ["bus"]


async def test_what_waits_or_is_under_way_is_counted_until_it_is_acknowledged(bus: Bus) -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def deliver(message: Message) -> Verdict:
        begun.set()
        await go_on.wait()
        return Ack()

    await publish(bus, "a", "b", "c")
    async with consuming(bus, deliver, in_flight=1):
        await begun.wait()
        under_way = await bus.waiting(DELIVERY.name, "delivery")
        go_on.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await bus.waiting(DELIVERY.name, "delivery"):  # noqa: ASYNC110 - the bus tells nobody of it
                await asyncio.sleep(0)

    assert under_way == 3

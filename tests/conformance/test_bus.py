"""What every bus promises, asked of each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from libs.bus import (
    DELIVERY,
    DELIVERY_TICKET,
    Ack,
    Bus,
    BusUnavailable,
    GiveUp,
    JetStreamBus,
    MemoryBus,
    Message,
    Retry,
    Verdict,
)
from tests.fixtures.nats import NatsServer
from tests.fixtures.waiting import PATIENCE_SECONDS

ACK_WAIT = timedelta(seconds=1)


@pytest.fixture(params=["memory", "jetstream"])
async def bus(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bus]:
    async with AsyncExitStack() as closing:
        opened: Bus
        if request.param == "memory":
            opened = MemoryBus()
        else:
            server = NatsServer(tmp_path / "nats")
            await server.start()
            closing.push_async_callback(server.kill)
            opened = await JetStreamBus.open(server.url, ack_wait=ACK_WAIT)
        closing.push_async_callback(opened.close)
        yield opened


@asynccontextmanager
async def consuming(
    bus: Bus, deliver: Callable[[Message], Awaitable[Verdict]], *, in_flight: int = 64
) -> AsyncIterator[None]:
    task = asyncio.create_task(bus.consume(DELIVERY.name, "delivery", deliver, in_flight=in_flight))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(bus: Bus, *ids: str) -> None:
    await asyncio.gather(*(bus.publish(DELIVERY_TICKET, b"payload", message_id=message_id) for message_id in ids))


class Seen:
    """Answers with the verdicts given for a message id, one after the other, and `Ack` after the last."""

    def __init__(self, verdicts: dict[str, list[Verdict | Exception]] | None = None) -> None:
        self.messages: list[Message] = []
        self.times: list[float] = []
        self._verdicts = verdicts or {}
        self._changed = asyncio.Condition()

    async def __call__(self, message: Message) -> Verdict:
        self.messages.append(message)
        self.times.append(asyncio.get_running_loop().time())
        async with self._changed:
            self._changed.notify_all()
        verdicts = self._verdicts.get(message.message_id)
        verdict = verdicts.pop(0) if verdicts else Ack()
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    @property
    def ids(self) -> list[str]:
        return [message.message_id for message in self.messages]

    async def until(self, fact: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), self._changed:
            await self._changed.wait_for(fact)


async def test_a_message_arrives_as_it_was_sent(bus: Bus) -> None:
    seen = Seen()

    async with consuming(bus, seen):
        await bus.publish(DELIVERY_TICKET, b"\x00\xff ticket", message_id="one")
        await seen.until(lambda: bool(seen.messages))

    assert seen.messages == [
        Message(subject=DELIVERY_TICKET, payload=b"\x00\xff ticket", message_id="one", delivered=1)
    ]


async def test_what_was_published_before_the_consumer_came_arrives_in_order(bus: Bus) -> None:
    seen = Seen()
    for message_id in ("a", "b", "c"):
        await publish(bus, message_id)

    async with consuming(bus, seen):
        await seen.until(lambda: len(seen.messages) == 3)

    assert seen.ids == ["a", "b", "c"]


async def test_an_acknowledged_message_never_comes_again(bus: Bus) -> None:
    first, second = Seen(), Seen()
    await publish(bus, "a")
    async with consuming(bus, first):
        await first.until(lambda: first.ids == ["a"])
        await publish(bus, "b")
        await first.until(lambda: first.ids == ["a", "b"])
        await asyncio.sleep(0)

    await publish(bus, "c")
    async with consuming(bus, second):
        await second.until(lambda: "c" in second.ids)
        await publish(bus, "d")
        await second.until(lambda: "d" in second.ids)

    assert "a" not in second.ids


async def test_a_retry_comes_again_after_its_pause(bus: Bus) -> None:
    seen = Seen({"a": [Retry(timedelta(milliseconds=400))]})
    await publish(bus, "a")

    async with consuming(bus, seen):
        await seen.until(lambda: len(seen.messages) == 2)

    assert [message.delivered for message in seen.messages] == [1, 2]
    assert seen.times[1] - seen.times[0] >= 0.39


async def test_an_exception_is_a_retry(bus: Bus) -> None:
    seen = Seen({"a": [RuntimeError("broken")]})
    await publish(bus, "a")

    async with consuming(bus, seen):
        await seen.until(lambda: len(seen.messages) == 2)

    assert seen.times[1] - seen.times[0] >= 0.9


async def test_a_message_given_up_never_comes_again(bus: Bus) -> None:
    seen = Seen({"a": [GiveUp("not a\r\nticket")], "b": [Retry(timedelta(seconds=1.5))]})
    await publish(bus, "a", "b")

    async with consuming(bus, seen):
        await seen.until(lambda: seen.ids.count("b") == 2)  # longer than ack_wait

    assert seen.ids.count("a") == 1


async def test_a_repeated_message_id_counts_once(bus: Bus) -> None:
    seen = Seen()
    await publish(bus, "a", "a")
    await publish(bus, "a")
    await publish(bus, "end")

    async with consuming(bus, seen):
        await seen.until(lambda: "end" in seen.ids)

    assert seen.ids == ["a", "end"]


async def test_no_more_than_in_flight_at_a_time(bus: Bus) -> None:
    ids = [f"id-{number}" for number in range(40)]
    at_once: list[int] = []
    open_now = 0
    done = asyncio.Event()

    async def deliver(_: Message) -> Verdict:
        nonlocal open_now
        open_now += 1
        at_once.append(open_now)
        for _turn in range(5):
            await asyncio.sleep(0)
        open_now -= 1
        if len(at_once) == len(ids):
            done.set()
        return Ack()

    await publish(bus, *ids)
    async with consuming(bus, deliver, in_flight=7), asyncio.timeout(PATIENCE_SECONDS):
        await done.wait()

    assert max(at_once) <= 7


async def test_slow_deliveries_do_not_hold_up_the_rest(bus: Bus) -> None:
    release = asyncio.Event()
    seen = Seen()

    async def deliver(message: Message) -> Verdict:
        verdict = await seen(message)
        if message.message_id.startswith("slow"):
            await release.wait()
        return verdict

    slow = [f"slow-{number}" for number in range(7)]
    quick = [f"quick-{number}" for number in range(20)]
    async with consuming(bus, deliver, in_flight=8):
        await publish(bus, *slow)
        await seen.until(lambda: len(seen.ids) == 7)
        await publish(bus, *quick)
        await seen.until(lambda: len(seen.ids) == 27)
        release.set()

    assert sorted(seen.ids) == sorted(slow + quick)


async def test_a_long_delivery_does_not_come_twice(bus: Bus) -> None:
    seen = Seen()
    release = asyncio.Event()

    async def deliver(message: Message) -> Verdict:
        verdict = await seen(message)
        if message.message_id == "long":
            await release.wait()
        return verdict

    async with consuming(bus, deliver):
        await publish(bus, "long")
        await seen.until(lambda: seen.ids == ["long"])
        await asyncio.sleep(3 * ACK_WAIT.total_seconds())  # the fact awaited is that nothing happens
        release.set()
        await publish(bus, "end")
        await seen.until(lambda: "end" in seen.ids)

    assert seen.ids == ["long", "end"]


async def test_what_was_under_way_when_cancelled_comes_again(bus: Bus) -> None:
    seen, second = Seen(), Seen()

    async def deliver(message: Message) -> Verdict:
        await seen(message)
        return await asyncio.Future[Verdict]()

    await publish(bus, "a")
    async with consuming(bus, deliver):
        await seen.until(lambda: seen.ids == ["a"])
    async with consuming(bus, second):
        await second.until(lambda: second.ids == ["a"])

    assert second.messages[0].delivered == 2


async def test_the_publishers_context_is_bound_while_delivering(bus: Bus) -> None:
    found: asyncio.Future[tuple[int, object]] = asyncio.get_running_loop().create_future()
    sent = SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(0))

    async def deliver(_: Message) -> Verdict:
        found.set_result((trace.get_current_span().get_span_context().trace_id, baggage.get_baggage("correlation_id")))
        return Ack()

    here = trace.set_span_in_context(NonRecordingSpan(sent))
    token = context.attach(baggage.set_baggage("correlation_id", "corr-1", here))
    await publish(bus, "a")
    context.detach(token)
    async with consuming(bus, deliver), asyncio.timeout(PATIENCE_SECONDS):
        bound = await found

    assert bound == (0xABC, "corr-1")


async def test_a_subject_without_a_stream_is_refused(bus: Bus) -> None:
    with pytest.raises(BusUnavailable):
        await bus.publish("unknown.subject", b"", message_id="a")


async def test_a_closed_bus_refuses(bus: Bus) -> None:
    await bus.close()

    with pytest.raises(BusUnavailable):
        await bus.check()
    with pytest.raises(BusUnavailable):
        await publish(bus, "a")

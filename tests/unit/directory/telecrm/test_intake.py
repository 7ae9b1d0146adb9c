"""What waits is made known, taken and done, whatever fails on the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from contactsync.directory.v1.intake_pb2 import IntakeRef, IntakeTicket

from libs.bus import INTAKE_TICKET, Ack, BusUnavailable, GiveUp, MemoryBus, Message, Retry
from services.directory.consumer import IntakeConsumer
from services.directory.domain.telecrm.intake import Entry
from services.directory.publisher import IntakeRelay, IntakeSweeper
from services.directory.store.stores import memory_stores
from tests.fixtures.telecrm import Telecrm, phone, telecrm_over, utc_now

NOW, LONG = timedelta(), timedelta(hours=1)


@dataclass
class Bus:
    """Keeps what was published; `down`: it does not confirm."""

    published: list[tuple[str, list[str]]] = field(default_factory=list)
    tried: asyncio.Queue[None] = field(default_factory=asyncio.Queue)
    down: bool = False

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        assert subject == INTAKE_TICKET
        self.tried.put_nowait(None)
        if self.down:
            raise BusUnavailable("test")
        self.published.append((message_id, [each.entry_id for each in IntakeTicket.FromString(payload).entries]))


@pytest.fixture
async def telecrm() -> Telecrm:
    return await telecrm_over(memory_stores(clock=utc_now))


@asynccontextmanager
async def relay_on(bus: Bus | MemoryBus) -> AsyncIterator[IntakeRelay]:
    relay = IntakeRelay(bus=bus, subject=INTAKE_TICKET)
    task = asyncio.create_task(relay.run())
    yield relay
    task.cancel()
    await asyncio.wait([task])


def sweeper(telecrm: Telecrm, relay: IntakeRelay) -> IntakeSweeper:
    return IntakeSweeper(book=telecrm.stores.intake, relay=relay, clock=utc_now, every=LONG, patience=LONG)


def ticket(payload: bytes | None = None) -> Message:
    known = IntakeTicket(entries=[IntakeRef(entry_id="e")]).SerializeToString() if payload is None else payload
    return Message(subject=INTAKE_TICKET, payload=known, message_id="m", delivered=1)


async def test_what_queues_meanwhile_shares_a_ticket_of_ids(telecrm: Telecrm) -> None:
    bus = Bus()
    entries = [await telecrm.queue({"fields": {"phone": phone(n)}}) for n in range(150)]

    async with relay_on(bus) as relay:
        relay.announce(entries)
        await bus.tried.get()
        await bus.tried.get()

    assert [each for _, ids in bus.published for each in ids] == [entry.entry_id for entry in entries]
    assert [len(ids) for _, ids in bus.published] == [100, 50]


async def test_the_same_is_made_known_again_under_another_stamp_alone(telecrm: Telecrm) -> None:
    bus = Bus()
    entry = await telecrm.queue({"fields": {"phone": phone(1)}})

    async with relay_on(bus) as relay:
        for stamp in ("", "", "later"):
            relay.announce([entry], stamp=stamp)
            await bus.tried.get()

    ids = [message_id for message_id, _ in bus.published]
    assert ids[0] == ids[1] != ids[2]


async def test_what_the_bus_refused_is_left_to_the_sweeper(telecrm: Telecrm) -> None:
    bus = Bus(down=True)
    entry = await telecrm.queue({"fields": {"phone": phone(1)}})

    async with relay_on(bus) as relay:
        relay.announce([entry])
        await bus.tried.get()
        bus.down = False
        await sweeper(telecrm, relay).sweep(NOW)
        await bus.tried.get()

    assert [ids for _, ids in bus.published] == [[entry.entry_id]]


async def test_what_has_not_waited_for_long_is_not_swept(telecrm: Telecrm) -> None:
    bus = Bus()
    await telecrm.queue({"fields": {"phone": phone(1)}})

    async with relay_on(bus) as relay:
        await sweeper(telecrm, relay).sweep(LONG)

    assert bus.published == []


async def test_one_ticket_takes_all_that_waits_in_order(telecrm: Telecrm) -> None:
    for rating in (1, 2, 3):
        await telecrm.queue({"fields": {"phone": phone(1), "rating": rating}})

    verdicts = await asyncio.gather(*(IntakeConsumer(telecrm.apis.intake).deliver(ticket()) for _ in range(2)))

    [row] = (await telecrm.search())["data"]
    assert verdicts == [Ack(), Ack()]
    assert row["fields"]["rating"] == 3


async def test_what_is_no_ticket_is_given_up(telecrm: Telecrm) -> None:
    verdict = await IntakeConsumer(telecrm.apis.intake).deliver(ticket(b"\xff\xff"))

    assert isinstance(verdict, GiveUp)


async def test_an_entry_that_fails_spoils_no_other_and_is_tried_again(
    telecrm: Telecrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = await telecrm.queue({"fields": {"phone": phone(1)}})
    await telecrm.queue({"fields": {"phone": phone(2)}})
    apply = telecrm.apis.intake.apply

    async def failing(entry: Entry) -> bool:
        if entry.entry_id == bad.entry_id:
            raise ConnectionError
        return await apply(entry)

    monkeypatch.setattr(telecrm.apis.intake, "apply", failing)
    verdict = await IntakeConsumer(telecrm.apis.intake).deliver(ticket())

    assert verdict == Retry()
    assert await telecrm.phones() == [phone(2)]
    [left] = await telecrm.stores.intake.waiting(now=utc_now() + LONG, limit=10)
    assert (left.entry_id, left.attempts) == (bad.entry_id, 1)


async def test_a_lead_travels_over_the_bus(telecrm: Telecrm) -> None:
    bus = MemoryBus()
    consumer = asyncio.create_task(IntakeConsumer(telecrm.apis.intake).run(bus))
    found: list[str] = []

    async with relay_on(bus) as relay, asyncio.timeout(10):
        relay.announce([await telecrm.queue({"fields": {"phone": phone(1)}})])
        while not found:
            found = await telecrm.phones()
            await asyncio.sleep(0)

    consumer.cancel()
    await asyncio.wait([consumer])
    assert found == [phone(1)]

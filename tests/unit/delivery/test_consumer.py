import asyncio

import pytest
from contactsync.delivery.v1.ticket_pb2 import DeliveryRef, DeliveryTicket

from libs.bus import Ack, GiveUp, Message, Retry
from services.delivery.consumer import Room, TicketConsumer, read_ticket
from tests.unit.delivery.world import World, ref


def message(payload: bytes) -> Message:
    return Message(subject="delivery.ticket", payload=payload, message_id="m", delivered=1)


def ticket(**fields: object) -> bytes:
    named = {"chunk_id": "job.0", "destination_id": "dest-hook", "correlation_id": "corr-1", **fields}
    return DeliveryTicket(deliveries=[DeliveryRef(**named)]).SerializeToString()  # type: ignore[arg-type]  # by name


@pytest.fixture
async def world() -> World:
    world = World()
    await world.hook()
    world.chunks.keep("job.0", size=3)
    return world


def test_a_ticket_is_read_whole() -> None:
    traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    [read] = read_ticket(ticket(round=2, positions=[0, 2], traceparent=traceparent))

    assert read.key == ref(number=2).key
    assert (read.correlation_id, read.traceparent, read.positions) == ("corr-1", traceparent, (0, 2))


async def test_a_delivered_ticket_is_acknowledged(world: World) -> None:
    assert await TicketConsumer(world.deliverer).deliver(message(ticket())) == Ack()
    assert len(world.reports.told) == 1


async def test_an_interrupted_one_comes_again(world: World) -> None:
    world.chunks.keep("job.1")
    world.chunks.down = True
    payload = DeliveryTicket(
        deliveries=[DeliveryRef(chunk_id=f"job.{index}", destination_id="dest-hook") for index in range(2)]
    ).SerializeToString()

    assert await TicketConsumer(world.deliverer).deliver(message(payload)) == Retry()


async def test_an_unreported_one_comes_again_and_is_told_then(world: World) -> None:
    consumer = TicketConsumer(world.deliverer)
    world.reports.fault = RuntimeError()
    with pytest.raises(RuntimeError):
        await consumer.deliver(message(ticket()))
    world.reports.fault = None

    assert await consumer.deliver(message(ticket())) == Ack()
    assert world.receiver.came == {"job.0.dest-hook": 1}
    assert len(world.reports.told) == 1


async def test_after_closing_nothing_is_begun(world: World) -> None:
    await world.deliverer.close()

    assert await TicketConsumer(world.deliverer).deliver(message(ticket())) == Retry()
    assert not world.receiver.parcels


@pytest.mark.parametrize("payload", [b"\xff", ticket(chunk_id=""), ticket(destination_id="")])
async def test_what_is_no_ticket_is_given_up(world: World, payload: bytes) -> None:
    assert isinstance(await TicketConsumer(world.deliverer).deliver(message(payload)), GiveUp)


async def test_room_is_given_in_the_order_of_asking_and_more_than_there_is_alone() -> None:
    room, inside, go_on = Room(4), list[int](), {count: asyncio.Event() for count in (3, 2, 9, 1)}

    async def hold(count: int) -> None:
        async with room.held(count):
            inside.append(count)
            await go_on[count].wait()
            inside.remove(count)

    async def let_go(count: int) -> list[int]:
        go_on[count].set()
        for _ in range(5):
            await asyncio.sleep(0)
        return list(inside)

    async with asyncio.TaskGroup() as group:
        for count in go_on:
            group.create_task(hold(count))
        assert await let_go(3) == [2]
        assert await let_go(2) == [9]
        assert await let_go(9) == [1]
        assert await let_go(1) == []

"""Each service has its own account on the server and may do its own work only."""

import asyncio
from pathlib import Path

import pytest

from libs.bus import DELIVERY, DELIVERY_TICKET, Ack, BusUnavailable, BusUser, JetStreamBus, Message, Verdict
from libs.bus.server import render_nats_config
from tests.fixtures.nats import NatsServer


@pytest.fixture
def accounts(nats_server: NatsServer) -> list[BusUser]:
    return [
        BusUser(name="ingestion", password='i"n $x', publishes=(DELIVERY_TICKET,)),
        BusUser(name="delivery", password="d", consumes=(DELIVERY.name,)),
    ]


@pytest.fixture
async def server(nats_server: NatsServer, accounts: list[BusUser]) -> NatsServer:
    await nats_server.stop()
    nats_server.config = render_nats_config(
        store_dir=nats_server.store,
        listen=f"127.0.0.1:{nats_server.port}",
        monitor=f"127.0.0.1:{nats_server.monitor_port}",
        users=accounts,
    )
    await nats_server.start()
    return nats_server


async def test_one_publishes_and_the_other_consumes(server: NatsServer) -> None:
    got: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def deliver(message: Message) -> Verdict:
        got.set_result(message.message_id)
        return Ack()

    ingestion = await JetStreamBus.open(f"nats://ingestion:i%22n%20%24x@127.0.0.1:{server.port}")
    delivery = await JetStreamBus.open(f"nats://delivery:d@127.0.0.1:{server.port}")
    consuming = asyncio.create_task(delivery.consume(DELIVERY.name, "delivery", deliver, in_flight=1))
    await ingestion.publish(DELIVERY_TICKET, b"", message_id="a")
    async with asyncio.timeout(10):
        message_id = await got
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    with pytest.raises(BusUnavailable):
        await delivery.publish(DELIVERY_TICKET, b"", message_id="b")
    await ingestion.close()
    await delivery.close()

    assert message_id == "a"


async def test_a_wrong_password_is_refused(server: NatsServer) -> None:
    bus = await JetStreamBus.open(f"nats://delivery:wrong@127.0.0.1:{server.port}")

    with pytest.raises(BusUnavailable):
        await bus.check()
    await bus.close()


def test_passwords_do_not_show(accounts: list[BusUser], tmp_path: Path) -> None:
    assert 'i"n $x' not in repr(accounts)

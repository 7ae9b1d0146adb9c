"""Each service has its own account on the server and may do its own work only."""

import asyncio
from pathlib import Path

import nats
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from libs.bus import (
    DELIVERY,
    DELIVERY_TICKET,
    INTAKE_TICKET,
    Ack,
    BusUnavailable,
    BusUser,
    JetStreamBus,
    Message,
    Verdict,
)
from libs.bus.server import render_nats_config
from libs.cli.stack.plan import BUS_ACCOUNTS
from tests.fixtures.nats import NatsServer
from tests.fixtures.waiting import PATIENCE_SECONDS


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
    async with asyncio.timeout(PATIENCE_SECONDS):
        message_id = await got
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    with pytest.raises(BusUnavailable):
        await delivery.publish(DELIVERY_TICKET, b"", message_id="b")
    await ingestion.close()
    await delivery.close()

    assert message_id == "a"


async def test_a_consumer_that_an_earlier_release_kept_on_disk_is_made_anew_and_gets_what_waited(
    server: NatsServer,
) -> None:
    got: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def deliver(message: Message) -> Verdict:
        got.set_result(message.message_id)
        return Ack()

    ingestion = await JetStreamBus.open(f"nats://ingestion:i%22n%20%24x@127.0.0.1:{server.port}")
    earlier = await nats.connect(f"nats://delivery:d@127.0.0.1:{server.port}", inbox_prefix=b"_INBOX_delivery")
    config = ConsumerConfig(name="delivery", durable_name="delivery", ack_policy=AckPolicy.EXPLICIT, ack_wait=10)
    await earlier.jetstream().add_consumer(DELIVERY.name, config)
    await earlier.close()
    await ingestion.publish(DELIVERY_TICKET, b"", message_id="a")

    delivery = await JetStreamBus.open(f"nats://delivery:d@127.0.0.1:{server.port}")
    consuming = asyncio.create_task(delivery.consume(DELIVERY.name, "delivery", deliver, in_flight=1))
    async with asyncio.timeout(PATIENCE_SECONDS):
        message_id = await got
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    await ingestion.close()
    await delivery.close()

    assert message_id == "a"


FORBIDDEN = [
    ("delivery", DELIVERY_TICKET),
    ("delivery", INTAKE_TICKET),
    ("delivery", "$JS.API.CONSUMER.MSG.NEXT.INTAKE.directory"),
    ("delivery", "$JS.ACK.INTAKE.directory.1.1.1.1.0"),
    ("ingestion", INTAKE_TICKET),
    ("ingestion", "$JS.API.CONSUMER.CREATE.DELIVERY.delivery"),
    ("ingestion", "$JS.API.CONSUMER.DELETE.DELIVERY.delivery"),
    ("ingestion", "$JS.API.CONSUMER.MSG.NEXT.DELIVERY.delivery"),
    ("ingestion", "$JS.ACK.DELIVERY.delivery.1.1.1.1.0"),
    ("directory", DELIVERY_TICKET),
    ("directory", "$JS.API.CONSUMER.CREATE.DELIVERY.directory"),
    ("directory", "$JS.API.CONSUMER.DELETE.DELIVERY.delivery"),
    *(
        (name, subject)
        for name in BUS_ACCOUNTS
        for subject in (
            "$JS.API.STREAM.DELETE.DELIVERY",
            "$JS.API.STREAM.PURGE.DELIVERY",
            "$JS.API.STREAM.MSG.GET.DELIVERY",
            "$JS.API.STREAM.CREATE.OTHER",
            "$SYS.REQ.SERVER.PING",
            "_INBOX_other.x",
        )
    ),
]
OVERHEARD = [
    (name, subject) for name in BUS_ACCOUNTS for subject in (">", DELIVERY_TICKET, INTAKE_TICKET, "_INBOX_other.>")
]


async def test_no_service_may_more_than_its_own_work(nats_server: NatsServer) -> None:
    await nats_server.stop()
    nats_server.config = render_nats_config(
        store_dir=nats_server.store,
        listen=f"127.0.0.1:{nats_server.port}",
        monitor=f"127.0.0.1:{nats_server.monitor_port}",
        users=[account.user("p") for account in BUS_ACCOUNTS.values()],
    )
    await nats_server.start()

    refused = [case for case in FORBIDDEN if await is_refused(nats_server, case[0], publish=case[1])]
    unheard = [case for case in OVERHEARD if await is_refused(nats_server, case[0], subscribe=case[1])]

    assert refused == FORBIDDEN
    assert unheard == OVERHEARD
    assert not await is_refused(nats_server, "ingestion", publish=DELIVERY_TICKET)
    assert not await is_refused(nats_server, "delivery", subscribe="_INBOX_delivery.x")


async def is_refused(server: NatsServer, name: str, *, publish: str = "", subscribe: str = "") -> bool:
    """Whether the server tells this account that it may not."""
    told: list[str] = []

    async def hear(error: Exception) -> None:
        told.append(str(error).lower())

    client = await nats.connect(f"nats://{name}:p@127.0.0.1:{server.port}", error_cb=hear)
    if publish:
        await client.publish(publish, b"")
    else:
        await client.subscribe(subscribe)
    for _ in range(2):  # the first ping may overtake what was published
        await client.flush()
    await client.close()
    return any("permissions violation" in each for each in told)


async def test_a_wrong_password_is_refused(server: NatsServer) -> None:
    bus = await JetStreamBus.open(f"nats://delivery:wrong@127.0.0.1:{server.port}")

    with pytest.raises(BusUnavailable):
        await bus.check()
    await bus.close()


def test_passwords_do_not_show(accounts: list[BusUser], tmp_path: Path) -> None:
    assert 'i"n $x' not in repr(accounts)


async def test_password_may_lie_in_a_file(server: NatsServer, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text('i"n $x\n')

    ingestion = await JetStreamBus.open(f"nats://ingestion@127.0.0.1:{server.port}?password_file={secret}")

    await ingestion.publish(DELIVERY_TICKET, b"", message_id="a")
    await ingestion.close()

"""`python -m services.delivery.main` as an operator runs it, and as a machine ends it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from services.delivery.domain.destination import Destination, DestinationId, DestinationKind
from services.delivery.main import MIGRATIONS
from services.delivery.store.destinations import SqlDestinations
from services.delivery.vault import Vault
from tests.fakes.webhook import Cut, Slow, WebhookFake
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.integration.delivery.hub import Hub, open_hub
from tests.unit.delivery.world import NOW

KILLS = 3
CHUNKS = 400
OVERDUE_AFTER = 5  # seconds


@pytest.fixture
async def hub(tmp_path: Path, nats_server: NatsServer, databases: Databases) -> AsyncIterator[Hub]:
    async with open_hub(tmp_path, nats_server, databases) as hub:
        yield hub


@pytest.fixture
async def fake() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


async def start(hub: Hub, **changes: object) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.delivery.main",
        env=hub.environment(**changes),
        stderr=asyncio.subprocess.PIPE,
    )


async def put_hook(hub: Hub, databases: Databases, url: str) -> str:
    """Straight into the database, before delivery first starts."""
    database = await databases.reopen(hub.settings.database_url, MIGRATIONS)
    hook = Destination(
        destination_id=DestinationId("dest-hook"),
        name="hook",
        kind=DestinationKind.WEBHOOK,
        created_at=NOW,
        url=url,
        secrets=("whsec_" + "QUFB" * 8,),
    )
    await SqlDestinations(database, cipher=Vault(b"m" * 32)).put(
        replace(hook, retry=replace(hook.retry, first_delay=hook.retry.first_delay / 100))
    )
    await database.close()
    return hook.destination_id


async def hear_of_all(hub: Hub, identity: str) -> None:
    """Do as ingestion does: what was done and not told when delivery died is made known again, and told then.

    A claim's lease (30 s) and the bus's patience with a lost ticket (30 s) may follow each other before.
    """
    async with asyncio.timeout(600):
        while missing := {f"job.{index}" for index in range(CHUNKS)} - {each.chunk_id for each in hub.ingestion.finals}:
            await hub.ticket(*((chunk_id, identity) for chunk_id in missing))
            with suppress(TimeoutError):
                await hub.ingestion.wait_for(
                    lambda: missing <= {each.chunk_id for each in hub.ingestion.finals},
                    seconds=OVERDUE_AFTER,
                )


async def test_it_is_killed_again_and_again_and_each_delivery_takes_effect_once(
    hub: Hub, databases: Databases, fake: WebhookFake
) -> None:
    identity = await put_hook(hub, databases, fake.url)
    fake.next.extend([Cut()] * (CHUNKS // 10))
    for first in range(0, CHUNKS, 10):
        await hub.ticket(*((f"job.{index}", identity) for index in range(first, first + 10)))
    for kill in range(KILLS):
        delivery = await start(hub)
        await hub.ingestion.wait_for(lambda: len(hub.ingestion.finals) > kill * 40)  # noqa: B023
        delivery.kill()
        await delivery.communicate()

    delivery = await start(hub)
    await hear_of_all(hub, identity)
    delivery.send_signal(signal.SIGTERM)
    _, errors = await delivery.communicate()

    assert delivery.returncode == 0, errors.decode()
    assert {each.row_states for each in hub.ingestion.finals} == {b"\x02"}
    assert fake.effects == dict.fromkeys((f"job.{index}.{identity}" for index in range(CHUNKS)), 1)


async def test_a_stop_finishes_what_is_being_sent(hub: Hub, databases: Databases, fake: WebhookFake) -> None:
    identity = await put_hook(hub, databases, fake.url)
    fake.next.append(Slow())
    await hub.ticket(("job.0", identity))
    delivery = await start(hub)
    await fake.arrived.wait()

    delivery.send_signal(signal.SIGTERM)
    fake.go_on.set()
    _, errors = await delivery.communicate()

    assert delivery.returncode == 0, errors.decode()
    assert [each.row_states for each in hub.ingestion.finals] == [b"\x02"]


async def test_another_master_key_is_refused_at_start(hub: Hub, databases: Databases, tmp_path: Path) -> None:
    await put_hook(hub, databases, "https://receiver.example/")
    (tmp_path / "other.key").write_text((b"o" * 32).hex())

    delivery = await start(hub, master_key_file=tmp_path / "other.key")
    _, errors = await delivery.communicate()

    assert delivery.returncode == os.EX_CONFIG
    assert "another key than the secret of dest-hook" in errors.decode().splitlines()[-1]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"database_url": ""}, "CONTACTSYNC_DATABASE_URL"),
        ({"egress_allow": "10.0.0.1/8"}, "CONTACTSYNC_EGRESS_ALLOW"),
        ({"service_key_file": "/nowhere/service.key"}, "/nowhere/service.key, which cannot be read"),
    ],
)
async def test_what_keeps_it_from_starting_is_told_in_one_line(hub: Hub, changes: dict[str, str], told: str) -> None:
    delivery = await start(hub, **changes)
    _, errors = await delivery.communicate()

    assert delivery.returncode == os.EX_CONFIG
    [line] = errors.decode().splitlines()
    assert line.startswith("delivery cannot start: ")
    assert told in line

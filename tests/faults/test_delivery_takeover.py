"""A delivery process stands still beyond its leases, another takes over, and then the first one goes on."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from services.delivery.domain.destination import Destination, DestinationId, DestinationKind, RetrySchedule
from services.delivery.main import MIGRATIONS
from services.delivery.store.destinations import SqlDestinations
from services.delivery.vault import Vault
from tests.fakes.webhook import Slow, Status, WebhookFake
from tests.faults.desk import print_figures
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.fixtures.waiting import wait_for
from tests.integration.delivery.hub import Hub, open_hub

CHUNKS = 10
CREATED, UNKNOWN = b"\x02", b"\x08"
# The lease is this time-out and a margin: long enough for each chunk to be there before the worker is stopped.
RETRY = RetrySchedule(
    first_delay=timedelta(milliseconds=50),
    max_delay=timedelta(milliseconds=50),
    max_attempts=20,
    timeout=timedelta(seconds=3),
)


async def put_hook(hub: Hub, databases: Databases, url: str, *, idempotent: bool) -> str:
    """Straight into the database, before delivery first starts."""
    database = await databases.reopen(hub.settings.database_url, MIGRATIONS)
    hook = Destination(
        destination_id=DestinationId("dest-once" if idempotent else "dest-other"),
        name="hook",
        kind=DestinationKind.WEBHOOK,
        created_at=datetime.now(UTC),
        url=url,
        secrets=("whsec_" + "QUFB" * 8,),
        retry=RETRY,
        idempotent=idempotent,
    )
    await SqlDestinations(database, cipher=Vault(b"m" * 32)).put(hook)
    return hook.destination_id


@asynccontextmanager
async def worker(hub: Hub) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of several processes on the same database and bus."""
    command = (sys.executable, "-m", "services.delivery.main")
    process = await asyncio.create_subprocess_exec(*command, env=hub.environment(), stderr=asyncio.subprocess.DEVNULL)
    yield process
    process.terminate()
    await process.wait()
    assert process.returncode == 0


async def until_arrived(*expected: tuple[WebhookFake, int]) -> None:
    def arrived() -> bool:
        return all(len(fake.arrivals) >= count for fake, count in expected)

    await asyncio.to_thread(wait_for, arrived, what="what is sent")


def ends(hub: Hub, destination_id: str) -> dict[str, set[bytes]]:
    """All final states that ingestion was told of each chunk: one, if everybody agrees."""
    told: dict[str, set[bytes]] = {}
    for outcome in hub.ingestion.finals:
        if outcome.destination_id == destination_id:
            told.setdefault(outcome.chunk_id, set()).add(outcome.row_states)
    return told


async def test_a_worker_that_stood_still_beyond_its_leases_neither_loses_nor_doubles(
    tmp_path: Path, nats_server: NatsServer, databases: Databases
) -> None:
    chunks = [f"job.{number}" for number in range(CHUNKS)]
    async with (
        open_hub(tmp_path, nats_server, databases, database="postgresql") as hub,
        WebhookFake() as once,
        WebhookFake(idempotent=False) as other,
    ):
        once_id = await put_hook(hub, databases, once.url, idempotent=True)
        other_id = await put_hook(hub, databases, other.url, idempotent=False)
        # The idempotent one is held at the second try, since a lease is on disk from then on.
        once.next.extend([Status(503)] * CHUNKS + [Slow()] * CHUNKS)
        other.next.extend([Slow()] * CHUNKS)
        async with worker(hub) as first:
            await hub.ticket(*((chunk, each) for chunk in chunks for each in (once_id, other_id)))
            await until_arrived((once, 2 * CHUNKS), (other, CHUNKS))
            first.send_signal(signal.SIGSTOP)
            stopped_at = asyncio.get_running_loop().time()
            once.go_on.set()
            other.go_on.set()
            async with worker(hub):
                await hub.ingestion.wait_for(lambda: len(ends(hub, once_id)) == len(ends(hub, other_id)) == CHUNKS)
                drained = asyncio.get_running_loop().time() - stopped_at
                before = len(hub.ingestion.outcomes)
                first.send_signal(signal.SIGCONT)
                await hub.ticket(("last.0", once_id))
                await hub.ingestion.wait_for(lambda: "last.0" in ends(hub, once_id))

    figures = {"chunks for each webhook": CHUNKS, "requests to the idempotent one": len(once.arrivals) - 1}
    figures |= {
        "requests to the other": len(other.arrivals),
        "told after the first went on": len(hub.ingestion.outcomes) - before,
    }
    print_figures("delivery stopped beyond its leases", {**figures, "taken over and drained after": drained})
    assert ends(hub, once_id) == {chunk: {CREATED} for chunk in [*chunks, "last.0"]}
    assert once.effects == {f"{chunk}.{once_id}": 1 for chunk in [*chunks, "last.0"]}
    # Nobody heard the answer; and nothing is sent again.
    assert ends(hub, other_id) == {chunk: {UNKNOWN} for chunk in chunks}
    assert other.effects == {f"{chunk}.{other_id}": 1 for chunk in chunks}
    assert len(other.arrivals) == CHUNKS

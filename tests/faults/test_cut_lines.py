"""A receiver that takes a chunk and cuts the line instead of answering, a thousand times over."""

import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from contactsync.delivery.v1 import delivery_service_pb2 as pb
from contactsync.delivery.v1 import destination_pb2
from google.protobuf.duration_pb2 import Duration

from tests.fakes.webhook import Cut, WebhookFake
from tests.faults.desk import print_figures
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.integration.delivery.hub import Hub, open_hub

CHUNKS, PER_TICKET = 1000, 100
CREATED, UNKNOWN = b"\x02", b"\x08"


def new_hook(url: str, *, idempotent: bool) -> pb.CreateDestinationRequest:
    soon = Duration()
    soon.FromTimedelta(timedelta(milliseconds=100))
    retry = destination_pb2.RetrySchedule(first_delay=soon, max_delay=soon, max_attempts=8)
    kind = destination_pb2.DESTINATION_KIND_WEBHOOK
    return pb.CreateDestinationRequest(kind=kind, url=url, retry=retry, idempotent=idempotent)


async def deliver_all(hub: Hub, fake: WebhookFake, *, idempotent: bool) -> tuple[str, float]:
    """The destination, and after how many seconds the last chunk was at its end."""
    began = time.monotonic()
    async with hub.delivering() as service:
        made = await hub.ask(service, "CreateDestination", new_hook(fake.url, idempotent=idempotent))
        destination_id: str = made.destination.id
        for first in range(0, CHUNKS, PER_TICKET):
            await hub.ticket(*((f"job.{number}", destination_id) for number in range(first, first + PER_TICKET)))
        await hub.ingestion.wait_for(lambda: len({each.chunk_id for each in hub.ingestion.finals}) == CHUNKS)
    return destination_id, time.monotonic() - began


@pytest.mark.parametrize("idempotent", [True, False])
async def test_a_thousand_chunks_whose_lines_are_cut_take_effect_once(
    tmp_path: Path, nats_server: NatsServer, databases: Databases, *, idempotent: bool
) -> None:
    async with (
        open_hub(tmp_path, nats_server, databases) as hub,
        WebhookFake(idempotent=idempotent) as fake,
    ):
        fake.default = Cut(once=True)
        destination_id, drained = await deliver_all(hub, fake, idempotent=idempotent)

    states = Counter(outcome.row_states for outcome in hub.ingestion.finals)
    figures = {"chunks": CHUNKS, "requests": len(fake.arrivals), "writes": sum(fake.effects.values())}
    kind = "idempotent" if idempotent else "other"
    print_figures(f"every line cut, {kind} receiver", {**figures, "ends": dict(states), "drained after": drained})
    assert fake.effects == {f"job.{number}.{destination_id}": 1 for number in range(CHUNKS)}
    assert states == {CREATED if idempotent else UNKNOWN: CHUNKS}
    assert len(fake.arrivals) == (2 * CHUNKS if idempotent else CHUNKS)

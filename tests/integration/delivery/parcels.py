"""Parcels for the senders, and what is sent with."""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from libs.egress import EgressRules, Outlet, parse_networks
from services.delivery.domain.answer import Taken
from services.delivery.domain.delivery import Chunk, ChunkId, Parcel, RowState
from services.delivery.domain.destination import Credentials, Destination, DestinationId, DestinationKind, RetrySchedule
from services.delivery.store.echoes import MemoryEchoes
from tests.fakes.telecrm import TelecrmFake
from tests.unit.delivery.world import NOW, ref


def contact(phone: str = "+919999999999", /, *, tags: Sequence[str] = (), **additional: Any) -> dict[str, Any]:
    return {"phone": phone, "tags": list(tags), "additionalFields": additional}


def destination(kind: DestinationKind, url: str, *, timeout: float = 15, **settings: Any) -> Destination:
    return Destination(
        destination_id=DestinationId("dest-1"),
        name="there",
        kind=kind,
        created_at=NOW,
        url=url,
        retry=RetrySchedule(timeout=timedelta(seconds=timeout)),
        **settings,
    )


def parcel(
    to: Destination, *contacts: dict[str, Any], positions: tuple[int, ...] = (), body: bytes | None = None
) -> Parcel:
    """`body`: the chunk's bytes, when they matter."""
    written = json.dumps(contacts).encode() if body is None else body
    size = len(json.loads(written))
    chunk = Chunk(chunk_id=ChunkId("job.0"), client_id="default", size=size, contacts=written, created_at=NOW)
    return Parcel(ref=ref(positions=positions), destination=to, chunk=chunk, started_at=NOW)


def to_telecrm(fake: TelecrmFake, *contacts: dict[str, Any], **settings: Any) -> Parcel:
    credentials = Credentials(token="sync-token")
    there = destination(DestinationKind.TELECRM, fake.base, enterprise_id="ent-1", credentials=credentials, **settings)
    return parcel(there, *contacts)


def echoes() -> MemoryEchoes:
    return MemoryEchoes(lambda text: hashlib.sha256(text.encode()).digest())


@asynccontextmanager
async def outlet() -> AsyncIterator[Outlet]:
    """That may call this machine."""
    opened = Outlet.open(EgressRules(parse_networks("127.0.0.0/8")))
    try:
        yield opened
    finally:
        await opened.close()


def states(answer: object) -> list[str]:
    """The states of the rows, in words."""
    assert isinstance(answer, Taken), answer
    return [RowState(state).name.lower() for state in answer.states]


def reasons(answer: object) -> dict[int, str]:
    """Why, by position."""
    assert isinstance(answer, Taken), answer
    return {each.position: each.reason for each in answer.failures}

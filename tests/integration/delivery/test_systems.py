"""Delivery whole, to systems that are written to contact by contact, and read by another service."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.delivery.v1 import delivery_service_pb2 as pb
from contactsync.delivery.v1 import destination_pb2
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from google.protobuf.duration_pb2 import Duration

from libs.rpc import Identity, Peer
from services.delivery.main import Running
from tests.fakes.connect import ConnectFake
from tests.fakes.line import CutAfter, Say
from tests.fakes.telecrm import TelecrmFake
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.integration.delivery.hub import SERVICE_KEY, Hub, open_hub
from tests.integration.delivery.parcels import contact

SOON = destination_pb2.RetrySchedule(
    first_delay=Duration(nanos=1_000_000), max_delay=Duration(nanos=1_000_000), max_attempts=20
)


@pytest.fixture
async def hub(tmp_path: Path, nats_server: NatsServer, databases: Databases) -> AsyncIterator[Hub]:
    async with open_hub(tmp_path, nats_server, databases) as hub:
        yield hub


@pytest.fixture
async def telecrm() -> AsyncIterator[TelecrmFake]:
    async with TelecrmFake() as fake:
        yield fake


@pytest.fixture
async def connect() -> AsyncIterator[ConnectFake]:
    async with ConnectFake() as fake:
        yield fake


async def create(hub: Hub, service: Running, **fields: Any) -> str:
    created = await hub.ask(service, "CreateDestination", pb.CreateDestinationRequest(retry=SOON, **fields))
    identity: str = created.destination.id
    return identity


async def create_telecrm(hub: Hub, service: Running, fake: TelecrmFake, **fields: Any) -> str:
    kind = destination_pb2.DESTINATION_KIND_TELECRM
    return await create(hub, service, kind=kind, url=fake.base, token=fake.token, enterprise_id="ent-1", **fields)


async def recognize(service: Running, request: pb.RecognizeEchoesRequest, *, caller: str) -> list[bool]:
    peer = Peer(f"127.0.0.1:{service.server.port}", identity=Identity(caller, SERVICE_KEY))
    try:
        answer = await peer.call(DeliveryServiceStub(peer.channel).RecognizeEchoes, request)
    finally:
        await peer.close()
    return list(answer.echoes)


def people(count: int) -> list[dict[str, Any]]:
    return [contact(f"+9199999{number:05}", name=f"Name {number}", email=f"{number}@b.in") for number in range(count)]


async def test_a_chunk_reaches_telecrm_once_through_cut_lines_and_429(hub: Hub, telecrm: TelecrmFake) -> None:
    rows = [*people(118), {"phone": "+919999900000", "deleted": True}, contact("+919999999998", rating="9")]
    hub.ingestion.contacts = json.dumps(rows).encode()
    telecrm.tricked = lambda request: request.path.endswith("/lead")
    telecrm.tricks.extend([None, CutAfter(), Say(429, {"error": {"code": "R"}}, {"Retry-After": "0"}), Say(500)] * 5)

    async with hub.delivering() as service:
        identity = await create_telecrm(hub, service, telecrm)
        await hub.ticket(("job.0", identity))
        [outcome] = await hub.ingestion.wait_for_finals(1)

    assert len(telecrm.leads) == 119
    assert set(telecrm.effects.values()) == {1}
    assert set(outcome.row_states[:118]) <= {2, 4}
    assert outcome.row_states[118:] == b"\x07\x02"
    assert {each.position for each in outcome.reasons} == {118, 119}


async def test_a_token_that_is_refused_again_and_again_pauses_the_destination_and_loses_nothing(
    hub: Hub, telecrm: TelecrmFake
) -> None:
    hub.ingestion.contacts = json.dumps(people(3)).encode()

    async with hub.delivering() as service:
        identity = await create_telecrm(hub, service, telecrm)
        telecrm.token = "another"
        await hub.ticket(("job.0", identity))
        while not (shown := await show(hub, service, identity)).destination.paused:
            await hub.ingestion.wait_for(lambda: bool(hub.ingestion.outcomes))
        telecrm.token = "sync-token"
        await hub.ask(service, "ResumeDestination", pb.ResumeDestinationRequest(destination_id=identity))
        [outcome] = await hub.ingestion.wait_for_finals(1)

    assert shown.destination.pause_reason
    assert outcome.row_states == b"\x02\x02\x02"
    assert len(telecrm.leads) == 3


async def show(hub: Hub, service: Running, identity: str) -> pb.GetDestinationResponse:
    request = pb.GetDestinationRequest(destination_id=identity)
    answer: pb.GetDestinationResponse = await hub.ask(service, "GetDestination", request)
    return answer


async def test_a_lost_answer_is_looked_up_where_a_repeat_is_forbidden(hub: Hub, connect: ConnectFake) -> None:
    hub.ingestion.contacts = json.dumps(people(20)).encode()
    connect.tricked = lambda request: request.method == "POST"
    connect.tricks.extend([CutAfter(), None, CutAfter()])

    async with hub.delivering() as service:
        kind = destination_pb2.DESTINATION_KIND_CONNECT
        identity = await create(hub, service, kind=kind, url=connect.url, api_key=connect.key, idempotent=False)
        await hub.ticket(("job.0", identity))
        [outcome] = await hub.ingestion.wait_for_finals(1)

    assert len(connect.contacts) == 20
    assert set(connect.effects.values()) == {1}
    assert set(outcome.row_states) <= {2, 4}


async def test_what_was_delivered_to_a_system_is_recognised_when_it_is_read_back(
    hub: Hub, telecrm: TelecrmFake
) -> None:
    hub.ingestion.contacts = json.dumps(people(1)).encode()
    async with hub.delivering() as service:
        identity = await create_telecrm(hub, service, telecrm)
        await hub.ticket(("job.0", identity))
        await hub.ingestion.wait_for_finals(1)
    [lead_id] = telecrm.leads
    changes = [
        pb.SeenChange(remote_id=lead_id, fields={"phone": "+919999900000", "email": "0@b.in"}),
        pb.SeenChange(remote_id=lead_id, fields={"phone": "+919999900001"}),
        pb.SeenChange(remote_id="b2", fields={"phone": "+919999900000"}),
    ]

    async with hub.delivering() as service:
        request = pb.RecognizeEchoesRequest(url=f"{telecrm.base}/", changes=changes)
        echoes = await recognize(service, request, caller="source_polling")
        with pytest.raises(Exception, match=r"PERMISSION_DENIED|FORBIDDEN"):
            await recognize(service, request, caller="ingestion")
        with pytest.raises(grpc.aio.AioRpcError):
            await hub.ask(service, "RecognizeEchoes", request)

    assert echoes == [True, False, False]

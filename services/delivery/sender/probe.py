"""A call that is no delivery: whether the destination answers, and knows the hub."""

from datetime import datetime, timedelta
from typing import assert_never

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from typing_extensions import override

from libs.egress import Outlet, Reply, Unanswered
from libs.rpc import Peer
from services.delivery.domain.delivery import Parcel
from services.delivery.domain.destination import Destination, DestinationKind
from services.delivery.ports import Clock
from services.delivery.ports.operating import Probe, Probed
from services.delivery.sender.body import build_body
from services.delivery.sender.connect.workspace import root_of
from services.delivery.sender.telecrm.sender import base_url
from services.delivery.sender.webhook import write_headers

TEST_EVENT = "contacts.test"
BOOK_PATIENCE_S = 5.0


class DestinationProbe(Probe):
    """A webhook gets a marked delivery; of a workspace something is read; the contact book is asked how it is."""

    def __init__(self, outlet: Outlet, *, directory: Peer, clock: Clock) -> None:
        self._outlet = outlet
        self._directory = directory
        self._clock = clock

    @override
    async def probe(self, destination: Destination, *, sample: Parcel) -> Probed:
        started_at = self._clock.now()
        match destination.kind:
            case DestinationKind.WEBHOOK:
                return self._judge(await self._post(sample), destination, started_at)
            case DestinationKind.TELECRM:
                key = f"Bearer {destination.credentials.token}"
                url = f"{base_url(destination)}/metadata"
                return self._judge(await self._read(destination, url, "Authorization", key), destination, started_at)
            case DestinationKind.CONNECT:
                key, url = destination.credentials.api_key, f"{root_of(destination.url)}/api/connect/me"
                return self._judge(await self._read(destination, url, "X-Api-Key", key), destination, started_at)
            case DestinationKind.DIRECTORY:
                return await self._ask_book(started_at)
            case unreachable:
                assert_never(unreachable)

    async def _post(self, sample: Parcel) -> Reply | Unanswered:
        body = build_body(sample, event=TEST_EVENT)
        destination = sample.destination
        headers = write_headers(sample, body)
        timeout = destination.retry.timeout
        return await self._outlet.ask("POST", destination.url, headers=headers, body=body, timeout=timeout)

    async def _read(self, destination: Destination, url: str, name: str, key: str) -> Reply | Unanswered:
        headers = {**destination.headers, name: key, "Accept": "application/json"}
        return await self._outlet.ask("GET", url, headers=headers, timeout=destination.retry.timeout)

    async def _ask_book(self, started_at: datetime) -> Probed:
        request = health_pb2.HealthCheckRequest()
        try:
            health = health_pb2_grpc.HealthStub(self._directory.channel)
            answer = await health.Check(request, timeout=BOOK_PATIENCE_S)
        except grpc.aio.AioRpcError as error:
            message = f"The contact book does not answer: {error.code().name}."
            return Probed(ok=False, status=0, took=self._since(started_at), message=message, body=b"")
        serving = answer.status == health_pb2.HealthCheckResponse.SERVING
        message = "" if serving else "The contact book is not ready."
        return Probed(
            ok=serving, status=200 if serving else 503, took=self._since(started_at), message=message, body=b""
        )

    def _judge(self, reply: Reply | Unanswered, destination: Destination, started_at: datetime) -> Probed:
        took = self._since(started_at)
        if isinstance(reply, Unanswered):
            return Probed(ok=False, status=0, took=took, message=reply.message, body=b"")
        message = ""
        if not destination.success.takes_status(reply.status):
            message = f"It answered {reply.status}."
        elif not destination.success.takes_body(reply.body):
            message = f"It answered {reply.status}, but not what it says for success."
        return Probed(ok=not message, status=reply.status, took=took, message=message, body=reply.body)

    def _since(self, started_at: datetime) -> timedelta:
        return self._clock.now() - started_at

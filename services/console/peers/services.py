"""One channel to each service, and the contracts that it is asked by."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

import grpc
from contactsync.access.v1.access_service_pb2_grpc import AccessServiceStub
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceStub
from contactsync.directory.v1.directory_service_pb2_grpc import DirectoryServiceStub
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from contactsync.source_polling.v1.source_polling_service_pb2_grpc import SourcePollingServiceStub
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub

from libs.rpc import Peer, PeerRefused, PeerUnavailable, Tls
from services.console.peers.operator import ShownOperator

Request = TypeVar("Request")
Response = TypeVar("Response")

SERVICE_NAMES = ("access", "idempotency", "normalization", "ingestion", "delivery", "directory", "source_polling")
_PROMPT = timedelta(seconds=2)


class Services:
    """Every service. Made in `main`, closed there."""

    def __init__(self, addresses: Mapping[str, str], *, tls: Tls) -> None:
        """`addresses` has one for each of SERVICE_NAMES; `tls` is the console's own certificate."""
        shown = ShownOperator()
        self._peers = {name: Peer(addresses[name], identity=shown, callee=tls.to(name)) for name in SERVICE_NAMES}
        self._peer_of: dict[Any, Peer] = {}
        self.access: AccessServiceStub = self._asked("access", AccessServiceStub)
        self.delivery: DeliveryServiceStub = self._asked("delivery", DeliveryServiceStub)
        self.directory: DirectoryServiceStub = self._asked("directory", DirectoryServiceStub)
        self.ingestion: IngestionServiceStub = self._asked("ingestion", IngestionServiceStub)
        self.source_polling: SourcePollingServiceStub = self._asked("source_polling", SourcePollingServiceStub)
        self._healths: Mapping[str, HealthStub] = {name: self._asked(name, HealthStub) for name in SERVICE_NAMES}

    def _asked(self, name: str, stub: Any) -> Any:
        peer = self._peers[name]
        made = stub(peer.channel)
        self._peer_of |= dict.fromkeys(vars(made).values(), peer)
        return made

    async def ask(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        timeout: timedelta = timedelta(seconds=5),  # noqa: ASYNC109 - a deadline travels with a call
    ) -> Response:
        """Calls a method of one of the stubs as the operator who is served. Raises PeerRefused or PeerUnavailable."""
        return await self._peer_of[method].call(method, request, timeout=timeout)

    async def health(self) -> Mapping[str, bool]:
        """Whether each service says that it serves; of one with replicas, the one that was asked."""
        told = await asyncio.gather(*(self._serves(name) for name in SERVICE_NAMES))
        return dict(zip(SERVICE_NAMES, told, strict=True))

    async def _serves(self, name: str) -> bool:
        try:
            told = await self.ask(self._healths[name].Check, health_pb2.HealthCheckRequest(), timeout=_PROMPT)
        except (PeerRefused, PeerUnavailable):
            return False
        return bool(told.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        """Closes the channels."""
        for peer in self._peers.values():
            await peer.close()

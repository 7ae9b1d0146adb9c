"""contactsync.idempotency.v1.IdempotencyService on the wire."""

from collections.abc import Awaitable, Iterable
from typing import TypeAlias, assert_never

from contactsync.idempotency.v1 import idempotency_service_pb2 as pb
from contactsync.idempotency.v1 import idempotency_service_pb2_grpc as pb_grpc
from grpc.aio import ServicerContext

from libs.rpc import Identity, ServiceCaller, current_caller, serve_together
from libs.stamps import stamp_of
from services.idempotency.domain import (
    Answer,
    Beginning,
    ClientId,
    Completion,
    Conflict,
    Fence,
    InProgress,
    Key,
    Release,
    Replay,
    Request,
    Started,
)
from services.idempotency.handler import Idempotency

_SERVICE = "contactsync.idempotency.v1.IdempotencyService"

_Item: TypeAlias = pb.BeginItem | pb.CompleteItem | pb.ReleaseItem


class IdempotencyServer(pb_grpc.IdempotencyServiceServicer):
    """Wire to domain and back; all items of a call are decided together."""

    def __init__(self, idempotency: Idempotency, identity: Identity) -> None:
        self._idempotency = idempotency
        self._identity = identity

    async def BeginMany(
        self,
        request: pb.BeginManyRequest,
        context: ServicerContext[pb.BeginManyRequest, Awaitable[pb.BeginManyResponse]],
    ) -> pb.BeginManyResponse:
        """As the contract says."""
        self._check_clients(request.items)
        with serve_together(
            (each.context for each in request.items), "idempotency.Begin", method=f"{_SERVICE}/BeginMany"
        ):
            beginnings = await self._idempotency.begin([_request(item) for item in request.items])
        return pb.BeginManyResponse(results=map(_result, beginnings))

    async def CompleteMany(
        self,
        request: pb.CompleteManyRequest,
        context: ServicerContext[pb.CompleteManyRequest, Awaitable[pb.CompleteManyResponse]],
    ) -> pb.CompleteManyResponse:
        """As the contract says."""
        self._check_clients(request.items)
        with serve_together(
            (each.context for each in request.items), "idempotency.Complete", method=f"{_SERVICE}/CompleteMany"
        ):
            completed = await self._idempotency.complete([_completion(item) for item in request.items])
        return pb.CompleteManyResponse(completed=completed)

    async def ReleaseMany(
        self,
        request: pb.ReleaseManyRequest,
        context: ServicerContext[pb.ReleaseManyRequest, Awaitable[pb.ReleaseManyResponse]],
    ) -> pb.ReleaseManyResponse:
        """As the contract says."""
        self._check_clients(request.items)
        releases = [Release(_key(item), Fence(item.fence)) for item in request.items]
        with serve_together(
            (each.context for each in request.items), "idempotency.Release", method=f"{_SERVICE}/ReleaseMany"
        ):
            released = await self._idempotency.release(releases)
        return pb.ReleaseManyResponse(released=released)

    def _check_clients(self, items: Iterable[_Item]) -> None:
        """Refuses the whole unless the service that asks says of each item that it let the item's client in."""
        caller = current_caller()
        issuer = caller.service if isinstance(caller, ServiceCaller) else ""
        for item in items:
            self._identity.check_client(issuer, item.context.caller, item.client_id)


def _key(item: _Item) -> Key:
    return Key(ClientId(item.client_id), item.key)


def _request(item: pb.BeginItem) -> Request:
    return Request(_key(item), item.body_hash, item.fingerprint, item.holder)


def _completion(item: pb.CompleteItem) -> Completion:
    return Completion(_key(item), Fence(item.fence), Answer(item.status_code, item.body))


def _result(beginning: Beginning) -> pb.BeginResult:
    match beginning:
        case Started(job_id, fence, created_at):
            return pb.BeginResult(started=pb.Started(job_id=job_id, fence=fence, created_at=stamp_of(created_at)))
        case Replay(answer, job_id):
            return pb.BeginResult(replay=pb.Replay(status_code=answer.status_code, body=answer.body, job_id=job_id))
        case Conflict(existing_created_at):
            return pb.BeginResult(conflict=pb.Conflict(existing_created_at=stamp_of(existing_created_at)))
        case InProgress(lease_until):
            return pb.BeginResult(in_progress=pb.InProgress(lease_until=stamp_of(lease_until)))
    assert_never(beginning)

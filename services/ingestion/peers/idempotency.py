import os
from collections.abc import Callable, Sequence
from datetime import UTC

import structlog
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.idempotency.v1 import idempotency_service_pb2 as pb
from contactsync.idempotency.v1.idempotency_service_pb2_grpc import IdempotencyServiceStub

from libs.rpc import Batch, Identity, Peer, call_context
from services.ingestion.domain.errors import Refused, Unavailable
from services.ingestion.domain.ids import JobId
from services.ingestion.peers.failures import as_refusals
from services.ingestion.ports.peers import Begun, Conflict, Fingerprint, InProgress, Key, Replay, Started

_HOLDER_BYTES = 8

log = structlog.get_logger()


class RpcKeys:
    """Idempotency keys, kept by the idempotency service; calls that come together share one.

    Each may be repeated: a begin names its holder, the first answer stays, and a key is freed once.
    """

    def __init__(self, peer: Peer, *, identity: Identity, random: Callable[[int], bytes] = os.urandom) -> None:
        """`identity` says of each client that it was let in here."""
        self._peer = peer
        self._identity = identity
        self._random = random
        self._stub = IdempotencyServiceStub(peer.channel)
        self._begin: Batch[pb.BeginItem, pb.BeginResult] = Batch(self._begin_many)
        self._complete: Batch[pb.CompleteItem, bool] = Batch(self._complete_many)
        self._release: Batch[pb.ReleaseItem, bool] = Batch(self._release_many)

    async def begin(self, key: Key, fingerprint: Fingerprint) -> Begun:
        """Takes the key's lease, or says why not."""
        item = pb.BeginItem(
            context=self._context(key),
            client_id=key.client_id,
            key=key.key,
            body_hash=fingerprint.body,
            fingerprint=fingerprint.canonical,
            holder=self._random(_HOLDER_BYTES),
        )
        with as_refusals():
            return _begun(await self._begin.ask(item))

    async def complete(self, key: Key, held: Started, *, status: int, body: bytes) -> None:
        """Stores the answer; the first stored one stays."""
        item = pb.CompleteItem(
            context=self._context(key),
            client_id=key.client_id,
            key=key.key,
            fence=held.fence,
            status_code=status,
            body=body,
        )
        try:
            with as_refusals():
                await self._complete.ask(item)
        except Refused as error:
            log.warning("answer_not_kept", job_id=held.job_id, reason=error.reason)
            raise

    async def release(self, key: Key, held: Started) -> None:
        """Frees the key; a lease that is held no more is left alone."""
        item = pb.ReleaseItem(context=self._context(key), client_id=key.client_id, key=key.key, fence=held.fence)
        try:
            with as_refusals():
                await self._release.ask(item)
        except Refused as error:
            log.warning("key_not_freed", job_id=held.job_id, reason=error.reason)
            raise

    def _context(self, key: Key) -> CallContext:
        """Of the request, with our word that this client makes it."""
        return call_context(caller=self._identity.token("idempotency", client_id=key.client_id))

    async def _begin_many(self, items: Sequence[pb.BeginItem]) -> Sequence[pb.BeginResult]:
        request = pb.BeginManyRequest(items=items)
        return (await self._peer.call(self._stub.BeginMany, request, repeatable=True)).results

    async def _complete_many(self, items: Sequence[pb.CompleteItem]) -> Sequence[bool]:
        request = pb.CompleteManyRequest(items=items)
        return (await self._peer.call(self._stub.CompleteMany, request, repeatable=True)).completed

    async def _release_many(self, items: Sequence[pb.ReleaseItem]) -> Sequence[bool]:
        request = pb.ReleaseManyRequest(items=items)
        return (await self._peer.call(self._stub.ReleaseMany, request, repeatable=True)).released


def _begun(result: pb.BeginResult) -> Begun:
    match result.WhichOneof("result"):
        case "started":
            return Started(JobId(result.started.job_id), result.started.fence)
        case "replay":
            return Replay(result.replay.status_code, result.replay.body, JobId(result.replay.job_id))
        case "conflict":
            return Conflict(result.conflict.existing_created_at.ToDatetime(UTC))
        case "in_progress":
            return InProgress(result.in_progress.lease_until.ToDatetime(UTC))
        case _:
            raise Unavailable  # a result that this release does not know

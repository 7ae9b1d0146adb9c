"""GET /v1/idempotency/{key}, as import-api.txt documents it."""

from collections.abc import Awaitable
from datetime import UTC, datetime

import msgspec
from contactsync.idempotency.v1 import idempotency_api_pb2 as pb
from contactsync.idempotency.v1 import idempotency_api_pb2_grpc as pb_grpc
from google.api.httpbody_pb2 import HttpBody
from grpc.aio import ServicerContext

from libs.rpc import answer, current_client
from services.idempotency.domain import ClientId, Key, Record
from services.idempotency.handler import Idempotency

_NULL = msgspec.Raw(b"null")


class KeyView(msgspec.Struct, gc=False):
    """A key as its client sees it, in the documented order.

    `status` is "active" once the request is answered, and "in_progress" with the last two null before.
    """

    key: str
    status: str
    payload_hash: str
    job_id: str
    created_at: str
    accessed_at: str
    access_count: int
    expires_at: str
    original_status_code: int | None
    original_response: msgspec.Raw


class IdempotencyApi(pb_grpc.IdempotencyApiServicer):
    """The keys of the calling client, and of no other."""

    def __init__(self, idempotency: Idempotency) -> None:
        self._idempotency = idempotency

    async def GetKey(
        self, request: pb.GetKeyRequest, context: ServicerContext[pb.GetKeyRequest, Awaitable[HttpBody]]
    ) -> HttpBody:
        """As the contract says."""
        record = await self._idempotency.look_up(Key(ClientId(current_client().client_id), request.key))
        return await answer(context, body=msgspec.json.encode(view_of(record)))


def view_of(record: Record) -> KeyView:
    """The stored body goes in as it is: it is the JSON that the first caller was answered."""
    stored = record.answer
    return KeyView(
        key=record.key.text,
        status="in_progress" if stored is None else "active",
        payload_hash=record.fingerprint.hex(),
        job_id=record.job_id,
        created_at=_rfc3339(record.created_at),
        accessed_at=_rfc3339(record.accessed_at),
        access_count=record.access_count,
        expires_at=_rfc3339(record.expires_at),
        original_status_code=None if stored is None else stored.status_code,
        original_response=_NULL if stored is None or not stored.body else msgspec.Raw(stored.body),
    )


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

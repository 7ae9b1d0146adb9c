"""Imports, to ingestion."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import stamina
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactsRequest, Origin
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from typing_extensions import override

from libs.rpc import Peer, PeerRefused, PeerUnavailable
from services.source_polling.domain.errors import ImportRefusedError, PartUnavailableError
from services.source_polling.domain.record import ExternalId
from services.source_polling.domain.source import Source
from services.source_polling.ports.peers import Imports

CALL_TIMEOUT = timedelta(seconds=30)
"""Outlasts a restart of ingestion."""
PATIENCE = timedelta(seconds=30)
"""For an import that an earlier call, whose answer was lost, may still be making: thrice its key's lease."""
_PASSING = frozenset({"IDEMPOTENCY_IN_PROGRESS", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR"})


class _Named(msgspec.Struct, gc=False):
    external_id: str


class _Tombstone(_Named, gc=False):
    deleted: bool = True


_json = msgspec.json.Encoder().encode
_named = msgspec.json.Decoder(list[_Named]).decode


class RpcImports(Imports):
    """A parcel is the request itself, so a repeat is the same to the byte."""

    def __init__(self, ingestion: Peer) -> None:
        self._peer = ingestion
        self._stub = IngestionServiceStub(ingestion.channel)

    @override
    def pack(
        self, source: Source, *, key: str, contacts: Sequence[bytes], tombstones: Sequence[ExternalId] = ()
    ) -> bytes:
        """Write the request."""
        origin = Origin(
            source_id=source.source_id,
            workspace_id=source.workspace_id,
            destination_ids=source.destination_ids,
            default_region=source.default_region,
        )
        gone = [_json(_Tombstone(each)) for each in tombstones]
        text = b"[" + b",".join((*contacts, *gone)) + b"]"
        return ImportContactsRequest(idempotency_key=key, origin=origin, contacts_json=text).SerializeToString()

    @override
    def contents(self, parcel: bytes) -> Sequence[ExternalId]:
        """Read the ids."""
        request = ImportContactsRequest.FromString(parcel)
        # One that a release before this one left behind has messages.
        contacts = _named(request.contacts_json) if request.contacts_json else request.contacts
        return [ExternalId(contact.external_id) for contact in contacts]

    @override
    async def accept(self, parcel: bytes) -> None:
        """Import it. What passes by itself is waited for."""
        request = ImportContactsRequest.FromString(parcel)
        try:
            async for attempt in stamina.retry_context(on=_pause, attempts=None, timeout=PATIENCE, wait_max=2.0):
                with attempt:
                    await self._peer.call(self._stub.ImportContacts, request, timeout=CALL_TIMEOUT, repeatable=True)
        except PeerUnavailable:
            raise PartUnavailableError("ingestion") from None
        except PeerRefused as refused:
            if refused.reason in _PASSING:
                raise PartUnavailableError("ingestion") from None
            raise ImportRefusedError(refused.reason) from None


def _pause(error: Exception) -> bool | timedelta:
    if not isinstance(error, PeerRefused) or error.reason not in _PASSING:
        return False
    return error.retry_after or True

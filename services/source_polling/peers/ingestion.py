"""Imports, to ingestion."""

from collections.abc import Sequence
from datetime import timedelta

import msgspec
import stamina
from contactsync.contact.v1.contact_pb2 import Contact, ContactType
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactsRequest, Origin
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from typing_extensions import override

from libs.rpc import Peer, PeerRefused, PeerUnavailable
from services.source_polling.domain import record as domain
from services.source_polling.domain.errors import ImportRefusedError, PartUnavailableError
from services.source_polling.domain.record import ExternalId, SourceRecord
from services.source_polling.domain.source import Source
from services.source_polling.ports.peers import Imports

CALL_TIMEOUT = timedelta(seconds=30)
"""Outlasts a restart of ingestion."""
PATIENCE = timedelta(seconds=30)
"""For an import that an earlier call, whose answer was lost, may still be making: thrice its key's lease."""
_PASSING = frozenset({"IDEMPOTENCY_IN_PROGRESS", "RATE_LIMIT_EXCEEDED", "INTERNAL_ERROR"})

_TYPES = {
    None: ContactType.CONTACT_TYPE_UNSPECIFIED,
    domain.ContactType.CUSTOMER: ContactType.CONTACT_TYPE_CUSTOMER,
    domain.ContactType.LEAD: ContactType.CONTACT_TYPE_LEAD,
}
_json = msgspec.json.Encoder(order="deterministic")


class RpcImports(Imports):
    """A parcel is the request itself, so a repeat is the same to the byte."""

    def __init__(self, ingestion: Peer) -> None:
        self._peer = ingestion
        self._stub = IngestionServiceStub(ingestion.channel)

    @override
    def pack(
        self, source: Source, *, key: str, records: Sequence[SourceRecord], tombstones: Sequence[ExternalId] = ()
    ) -> bytes:
        """Write the request."""
        origin = Origin(
            source_id=source.source_id,
            workspace_id=source.workspace_id,
            destination_ids=source.destination_ids,
            default_region=source.default_region,
        )
        request = ImportContactsRequest(idempotency_key=key, origin=origin)
        # Made where they belong: a message made by itself and copied there costs five times as much.
        for record in records:
            _write(record, request.contacts.add())
        for external_id in tombstones:
            request.contacts.add(external_id=external_id, deleted=True)
        return request.SerializeToString()

    @override
    def contents(self, parcel: bytes) -> Sequence[ExternalId]:
        """Read the ids."""
        return [ExternalId(contact.external_id) for contact in ImportContactsRequest.FromString(parcel).contacts]

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


def _write(record: SourceRecord, contact: Contact) -> None:
    for phone in record.phones:
        contact.phones.add(number=phone.value, label=phone.label)
    for email in record.emails:
        contact.emails.add(email=email.value, label=email.label)
    contact.first_name = record.first_name
    contact.last_name = record.last_name
    contact.company = record.company
    contact.type = _TYPES[record.type]
    contact.tags.extend(record.tags)
    contact.additional_fields_json = _json.encode(record.extra) if record.extra else b""
    contact.external_id = record.external_id

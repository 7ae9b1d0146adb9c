"""The hub's own contact book as a destination, over gRPC."""

from collections.abc import Sequence
from datetime import timedelta

from contactsync.directory.v1.directory_service_pb2 import ApplyItem, ApplyManyRequest, ApplyResult
from contactsync.directory.v1.directory_service_pb2_grpc import DirectoryServiceStub
from typing_extensions import override

from libs.rpc import REASONS, Batch, Peer, PeerRefused, PeerUnavailable, ask_apart, call_context
from services.delivery.domain.answer import Answer, NoAnswer, Refused, RowFailure, Taken
from services.delivery.domain.delivery import Parcel
from services.delivery.ports import Lookup, Sender
from services.delivery.sender.body import picked

MOST_BYTES = 4 * 1024 * 1024
"""Contacts in one call. A heavier chunk goes alone."""
CALL_TIMEOUT = timedelta(seconds=15)
"""Of a call, which carries parcels of many deliveries: a destination's own time-out is not asked here."""


class DirectorySender(Sender, Lookup):
    """Applies parcels that come together in one call. The book takes a delivery id twice as once."""

    def __init__(self, directory: Peer) -> None:
        self._peer = directory
        self._stub = DirectoryServiceStub(directory.channel)
        self._applies = Batch(self._apply_apart, limit=64, weigh=_weight, max_weight=MOST_BYTES)

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """Apply once."""
        try:
            result = await self._applies.ask(_item(parcel))
        except PeerUnavailable:
            return NoAnswer(message="The contact book does not answer.", reached=True)
        if isinstance(result, PeerRefused):
            return _refused(result)
        return _taken(result, parcel)

    @override
    async def look_up(self, parcel: Parcel) -> Answer | None:
        """Ask by sending it again: the book gives a delivery id that it knows its first answer."""
        return await self.send(parcel)

    async def _apply_apart(self, items: Sequence[ApplyItem]) -> Sequence[ApplyResult | PeerRefused]:
        return await ask_apart(self._apply, items)

    async def _apply(self, items: Sequence[ApplyItem]) -> Sequence[ApplyResult]:
        request = ApplyManyRequest(items=items)
        response = await self._peer.call(self._stub.ApplyMany, request, timeout=CALL_TIMEOUT, repeatable=True)
        return response.results


def _weight(item: ApplyItem) -> int:
    return len(item.contacts_json)


def _item(parcel: Parcel) -> ApplyItem:
    return ApplyItem(
        context=call_context(),
        delivery_id=parcel.part_id,
        client_id=parcel.chunk.client_id,
        workspace_id=parcel.chunk.workspace_id,
        source_id=parcel.chunk.source_id,
        contacts_json=picked(parcel.chunk.contacts, parcel.ref.positions),
    )


def _refused(refused: PeerRefused) -> Refused:
    """With the HTTP status that the contract has for the reason."""
    status = REASONS[refused.reason].http_status if refused.reason in REASONS else 500
    message = f"The contact book refused: {refused.reason}."
    return Refused(status=status, message=message, retry_after=refused.retry_after)


def _taken(result: ApplyResult, parcel: Parcel) -> Answer:
    if not result.row_states:
        return Refused(status=422, message="The contact book cannot read this chunk.")
    if len(result.row_states) != parcel.count:
        return Refused(status=500, message="The contact book answered for another number of contacts.")
    failures = tuple(RowFailure(position=each.position, reason=each.reason[:512]) for each in result.failures)
    return Taken(states=result.row_states, failures=failures)

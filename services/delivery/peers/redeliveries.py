"""Rounds that an operator asks for, from ingestion."""

from collections.abc import Sequence
from datetime import timedelta

from contactsync.ingestion.v1 import ingestion_service_pb2 as wire
from contactsync.ingestion.v1 import job_pb2
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from typing_extensions import override

from libs.rpc import Peer
from services.delivery.domain.delivery import RowState
from services.delivery.domain.replay import Redelivery, Verdict
from services.delivery.ports.operating import Redeliveries, Selection

CALL_TIMEOUT = timedelta(seconds=15)

_VERDICT = {
    wire.REDELIVERY_VERDICT_STARTED: Verdict.STARTED,
    wire.REDELIVERY_VERDICT_LATER: Verdict.LATER,
    wire.REDELIVERY_VERDICT_UNFINISHED: Verdict.UNFINISHED,
    wire.REDELIVERY_VERDICT_NOTHING: Verdict.NOTHING,
}


class IngestionRedeliveries(Redeliveries):
    """Raises PeerUnavailable and PeerRefused."""

    def __init__(self, ingestion: Peer) -> None:
        self._peer = ingestion
        self._stub = IngestionServiceStub(ingestion.channel)

    @override
    async def redeliver(self, selections: Sequence[Selection]) -> Sequence[Redelivery]:
        request = wire.RedeliverRowsRequest(selections=map(_write, selections))
        response = await self._peer.call(self._stub.RedeliverRows, request, timeout=CALL_TIMEOUT)
        return [
            Redelivery(verdict=_VERDICT[each.verdict], round=each.round, states=each.row_states)
            for each in response.redeliveries
        ]

    @override
    async def resolve(self, selections: Sequence[Selection], *, state: RowState, reason: str) -> Sequence[bytes]:
        request = wire.ResolveRowsRequest(
            selections=map(_write, selections), state=job_pb2.RowState.ValueType(state.value), reason=reason
        )
        response = await self._peer.call(self._stub.ResolveRows, request, timeout=CALL_TIMEOUT)
        return list(response.row_states)


def _write(selection: Selection) -> wire.RowSelection:
    return wire.RowSelection(
        chunk_id=selection.chunk_id,
        destination_id=selection.destination_id,
        round=selection.round,
        positions=selection.positions,
        states=[job_pb2.RowState.ValueType(state.value) for state in sorted(selection.states)],
    )

"""Outcomes, to ingestion."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from contactsync.call.v1.call_pb2 import CallContext
from contactsync.ingestion.v1.ingestion_service_pb2 import DeliveryOutcome, RecordOutcomesRequest, RowReason
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from typing_extensions import override

from libs.rpc import Batch, Peer, PeerRefused, ask_apart
from libs.stamps import stamp_of
from services.delivery.domain.delivery import Delivery, RowState
from services.delivery.ports import Outcomes

FINAL_REFUSALS = frozenset({"NOT_FOUND", "VALIDATION_ERROR"})
"""Said of one outcome alone, these will be said again: telling it once more helps nobody."""
MOST_BYTES = 2 * 1024 * 1024
REST = timedelta(milliseconds=20)
"""So late does ingestion learn of an outcome that is on disk here, where others are told at the same time."""
CALL_TIMEOUT = timedelta(seconds=15)
"""Outlasts a restart of ingestion. What is not told then is told when ingestion asks for the delivery again."""

# Of rows that have no part in the round ingestion takes no word; but each byte must be a state.
_NOT_OURS, _PENDING = bytes([RowState.NOT_OURS]), bytes([RowState.PENDING])

log = structlog.get_logger()


class IngestionOutcomes(Outcomes):
    """Tells outcomes that come together in one call. Raises PeerUnavailable and PeerRefused."""

    def __init__(self, ingestion: Peer) -> None:
        self._peer = ingestion
        self._stub = IngestionServiceStub(ingestion.channel)
        self._reports = Batch(
            self._report_apart,
            limit=256,
            in_flight=1,
            weigh=DeliveryOutcome.ByteSize,
            max_weight=MOST_BYTES,
            rest=REST,
        )

    @override
    async def report(self, delivery: Delivery) -> None:
        """Tell one."""
        refused = await self._reports.ask(write_outcome(delivery))
        if refused is None:
            return
        if refused.reason not in FINAL_REFUSALS:
            raise refused
        log.error("outcome_refused", delivery_id=delivery.ref.key.delivery_id, reason=refused.reason)

    async def _report_apart(self, outcomes: Sequence[DeliveryOutcome]) -> Sequence[PeerRefused | None]:
        return await ask_apart(self._report, outcomes)

    async def _report(self, outcomes: Sequence[DeliveryOutcome]) -> Sequence[None]:
        request = RecordOutcomesRequest(outcomes=outcomes)
        await self._peer.call(self._stub.RecordOutcomes, request, timeout=CALL_TIMEOUT, repeatable=True)
        return [None] * len(outcomes)


def write_outcome(delivery: Delivery) -> DeliveryOutcome:
    """Write what became of a delivery that was tried."""
    key = delivery.ref.key
    return DeliveryOutcome(
        context=CallContext(correlation_id=delivery.ref.correlation_id, traceparent=delivery.ref.traceparent),
        chunk_id=key.chunk_id,
        destination_id=key.destination_id,
        round=key.round,
        attempt_count=delivery.attempt_count,
        row_states=delivery.states.replace(_NOT_OURS, _PENDING),
        reasons=[RowReason(position=each.position, reason=each.reason) for each in delivery.failures],
        final=delivery.is_final,
        response_status_code=delivery.status,
        error_message=delivery.message,
        attempted_at=None if delivery.attempted_at is None else stamp_of(delivery.attempted_at),
        next_attempt_at=None if delivery.due_at is None else stamp_of(delivery.due_at),
    )

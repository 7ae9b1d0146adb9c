"""Outcomes as delivery reports them."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

from contactsync.ingestion.v1 import ingestion_service_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from libs.rpc import is_sampled, serve_item
from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.ids import ChunkId, DestinationId
from services.ingestion.domain.outcome import REPORTED, Outcome

_RECORD = "contactsync.ingestion.v1.IngestionService/RecordOutcomes"


def outcomes_of(reported: Sequence[pb.DeliveryOutcome]) -> list[Outcome]:
    """The outcomes. Raises Invalid for a state that no delivery can come to."""
    faults = [index for index, each in enumerate(reported) if each.row_states.translate(None, REPORTED)]
    if faults:
        raise Invalid(violations=[_odd_state(index) for index in faults])
    with ExitStack() as spans:
        for each in reported:
            if is_sampled(each.context):
                about = {"chunk_id": each.chunk_id, "destination_id": each.destination_id}
                spans.enter_context(serve_item(each.context, "ingestion.RecordOutcome", method=_RECORD, **about))
        return [_outcome(each) for each in reported]


def _odd_state(index: int) -> Violation:
    return Violation(f"/outcomes/{index}/row_states", "odd_state", "A delivered row cannot be in such a state")


def _outcome(reported: pb.DeliveryOutcome) -> Outcome:
    return Outcome(
        chunk_id=ChunkId(reported.chunk_id),
        destination_id=DestinationId(reported.destination_id),
        round=reported.round,
        attempt_count=reported.attempt_count,
        row_states=reported.row_states,
        final=reported.final,
        attempted_at=_moment(reported.attempted_at),
        next_attempt_at=_moment(reported.next_attempt_at) if reported.HasField("next_attempt_at") else None,
        response_status_code=reported.response_status_code,
        error_message=reported.error_message,
        reasons={row.position: row.reason for row in reported.reasons},
    )


def _moment(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(UTC)

"""What delivery's operators have done with rows."""

from collections.abc import Iterable, Sequence

from contactsync.ingestion.v1 import ingestion_service_pb2 as pb

from services.ingestion.domain.ids import ChunkId, DestinationId
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.redelivery import Redelivery, Selection


def selections_of(given: Iterable[pb.RowSelection]) -> list[Selection]:
    """The selections."""
    return [
        Selection(
            chunk_id=ChunkId(each.chunk_id),
            destination_id=DestinationId(each.destination_id),
            round=each.round,
            positions=tuple(each.positions),
            states=frozenset(map(RowState, each.states)),
        )
        for each in given
    ]


def redelivered(answers: Sequence[Redelivery]) -> pb.RedeliverRowsResponse:
    """What was done."""
    return pb.RedeliverRowsResponse(
        redeliveries=[
            pb.Redelivery(
                verdict=pb.RedeliveryVerdict.ValueType(each.verdict.value), round=each.round, row_states=each.states
            )
            for each in answers
        ]
    )

"""The typed service."""

from datetime import datetime, timedelta
from typing import Any

from contactsync.delivery.v1 import delivery_service_pb2 as wire
from contactsync.delivery.v1 import destination_pb2
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceServicer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from services.delivery.domain.delivery import Attempt, ChunkId
from services.delivery.domain.destination import (
    DEFAULT_RETRY,
    Destination,
    DestinationId,
    DestinationKind,
    RetrySchedule,
)
from services.delivery.domain.echo import Written
from services.delivery.handler.echoes import EchoRecognizer
from services.delivery.handler.operate import NewDestination, Operator

_KIND = {
    DestinationKind.DIRECTORY: destination_pb2.DESTINATION_KIND_DIRECTORY,
    DestinationKind.WEBHOOK: destination_pb2.DESTINATION_KIND_WEBHOOK,
    DestinationKind.TELECRM: destination_pb2.DESTINATION_KIND_TELECRM,
    DestinationKind.CONNECT: destination_pb2.DESTINATION_KIND_CONNECT,
}
_KIND_OF = {number: kind for kind, number in _KIND.items()}


class DeliveryServer(DeliveryServiceServicer):
    """Wire to use case and back."""

    def __init__(self, operator: Operator, *, echoes: EchoRecognizer) -> None:
        self._operator = operator
        self._echoes = echoes

    @override
    async def CreateDestination(
        self, request: wire.CreateDestinationRequest, context: Any
    ) -> wire.CreateDestinationResponse:
        destination = await self._operator.create(read_new(request))
        return wire.CreateDestinationResponse(destination=write_destination(destination), secret=destination.secrets[0])

    @override
    async def ListDestinations(
        self, request: wire.ListDestinationsRequest, context: Any
    ) -> wire.ListDestinationsResponse:
        destinations = await self._operator.list()
        return wire.ListDestinationsResponse(destinations=map(write_destination, destinations))

    @override
    async def GetDestination(self, request: wire.GetDestinationRequest, context: Any) -> wire.GetDestinationResponse:
        destination, waiting = await self._operator.get(DestinationId(request.destination_id))
        return wire.GetDestinationResponse(
            destination=write_destination(destination),
            waiting=waiting.count,
            oldest_waiting_at=None if waiting.oldest_at is None else _timestamp(waiting.oldest_at),
        )

    @override
    async def PauseDestination(
        self, request: wire.PauseDestinationRequest, context: Any
    ) -> wire.PauseDestinationResponse:
        destination = await self._operator.pause(DestinationId(request.destination_id))
        return wire.PauseDestinationResponse(destination=write_destination(destination))

    @override
    async def ResumeDestination(
        self, request: wire.ResumeDestinationRequest, context: Any
    ) -> wire.ResumeDestinationResponse:
        destination = await self._operator.resume(DestinationId(request.destination_id))
        return wire.ResumeDestinationResponse(destination=write_destination(destination))

    @override
    async def ListAttempts(self, request: wire.ListAttemptsRequest, context: Any) -> wire.ListAttemptsResponse:
        attempts = await self._operator.attempts(ChunkId(request.chunk_id), DestinationId(request.destination_id))
        return wire.ListAttemptsResponse(attempts=map(write_attempt, attempts))

    @override
    async def RecognizeEchoes(self, request: wire.RecognizeEchoesRequest, context: Any) -> wire.RecognizeEchoesResponse:
        seen = [Written(remote_id=change.remote_id, values=dict(change.fields)) for change in request.changes]
        return wire.RecognizeEchoesResponse(echoes=await self._echoes.recognize(request.url, seen))


def read_new(request: wire.CreateDestinationRequest) -> NewDestination:
    """Read a destination as asked for; the contract let no unknown kind in."""
    return NewDestination(
        name=request.name,
        kind=_KIND_OF[request.kind],
        url=request.url,
        secret=request.secret,
        retry=_read_retry(request.retry),
        idempotent=request.idempotent if request.HasField("idempotent") else True,
    )


def write_destination(destination: Destination) -> destination_pb2.Destination:
    """Write a destination without its secret."""
    retry = destination.retry
    return destination_pb2.Destination(
        id=destination.destination_id,
        name=destination.name,
        kind=_KIND[destination.kind],
        url=destination.url,
        retry=destination_pb2.RetrySchedule(
            first_delay=_duration(retry.first_delay),
            max_delay=_duration(retry.max_delay),
            max_attempts=retry.max_attempts,
            timeout=_duration(retry.timeout),
        ),
        paused=destination.paused,
        idempotent=destination.idempotent,
        created_at=_timestamp(destination.created_at),
    )


def write_attempt(attempt: Attempt) -> wire.Attempt:
    """Write a try."""
    return wire.Attempt(
        round=attempt.key.round,
        number=attempt.number,
        started_at=_timestamp(attempt.started_at),
        duration_s=attempt.duration.total_seconds(),
        response_status_code=attempt.status,
        error_message=attempt.message,
    )


def _read_retry(retry: destination_pb2.RetrySchedule) -> RetrySchedule:
    """Zero means the default."""
    return RetrySchedule(
        first_delay=retry.first_delay.ToTimedelta() or DEFAULT_RETRY.first_delay,
        max_delay=retry.max_delay.ToTimedelta() or DEFAULT_RETRY.max_delay,
        max_attempts=retry.max_attempts or DEFAULT_RETRY.max_attempts,
        timeout=retry.timeout.ToTimedelta() or DEFAULT_RETRY.timeout,
    )


def _timestamp(moment: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration

"""Wire to use case and back."""

from dataclasses import dataclass
from typing import Any

from contactsync.delivery.v1 import delivery_service_pb2 as wire
from contactsync.delivery.v1.delivery_service_pb2_grpc import DeliveryServiceServicer
from typing_extensions import override

from libs.rpc import ClientCaller, current_caller
from services.delivery.domain.delivery import ChunkId
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.echo import Written
from services.delivery.domain.replay import ReplayId
from services.delivery.handler.echoes import EchoRecognizer
from services.delivery.handler.operate import DeadLetterDesk, Operator, ReplayDesk, TryOut
from services.delivery.handler.watching import Watchdog
from services.delivery.server import writing
from services.delivery.server.reading import (
    KIND_OF,
    read_changes,
    read_filter,
    read_new,
    read_place,
    read_span,
    write_place,
)

LETTERS_A_PAGE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Desks:
    """What callers can ask for."""

    operator: Operator
    dead_letters: DeadLetterDesk
    replays: ReplayDesk
    try_out: TryOut
    echoes: EchoRecognizer
    watchdog: Watchdog


class DeliveryServer(DeliveryServiceServicer):
    """The operator's calls, and those of source_polling."""

    def __init__(self, desks: Desks) -> None:
        self._operator = desks.operator
        self._dead_letters = desks.dead_letters
        self._replays = desks.replays
        self._try_out = desks.try_out
        self._echoes = desks.echoes
        self._watchdog = desks.watchdog

    @override
    async def CreateDestination(
        self, request: wire.CreateDestinationRequest, context: Any
    ) -> wire.CreateDestinationResponse:
        destination = await self._operator.create(KIND_OF[request.kind], read_new(request))
        secret = destination.secrets[0] if destination.secrets else ""
        return wire.CreateDestinationResponse(destination=writing.write_destination(destination), secret=secret)

    @override
    async def ListDestinations(
        self, request: wire.ListDestinationsRequest, context: Any
    ) -> wire.ListDestinationsResponse:
        destinations = await self._operator.list()
        return wire.ListDestinationsResponse(destinations=map(writing.write_destination, destinations))

    @override
    async def GetDestination(self, request: wire.GetDestinationRequest, context: Any) -> wire.GetDestinationResponse:
        return writing.write_overview(await self._operator.get(DestinationId(request.destination_id)))

    @override
    async def UpdateDestination(
        self, request: wire.UpdateDestinationRequest, context: Any
    ) -> wire.UpdateDestinationResponse:
        destination = await self._operator.update(DestinationId(request.destination_id), read_changes(request))
        return wire.UpdateDestinationResponse(destination=writing.write_destination(destination))

    @override
    async def DeleteDestination(
        self, request: wire.DeleteDestinationRequest, context: Any
    ) -> wire.DeleteDestinationResponse:
        destination_id = DestinationId(request.destination_id)
        discarded = await self._operator.delete(destination_id, discard_backlog=request.discard_backlog)
        return wire.DeleteDestinationResponse(discarded=discarded)

    @override
    async def PauseDestination(
        self, request: wire.PauseDestinationRequest, context: Any
    ) -> wire.PauseDestinationResponse:
        destination = await self._operator.pause(DestinationId(request.destination_id), reason=request.reason)
        return wire.PauseDestinationResponse(destination=writing.write_destination(destination))

    @override
    async def ResumeDestination(
        self, request: wire.ResumeDestinationRequest, context: Any
    ) -> wire.ResumeDestinationResponse:
        destination = await self._operator.resume(DestinationId(request.destination_id))
        return wire.ResumeDestinationResponse(destination=writing.write_destination(destination))

    @override
    async def RotateSecret(self, request: wire.RotateSecretRequest, context: Any) -> wire.RotateSecretResponse:
        destination = await self._operator.rotate_secret(
            DestinationId(request.destination_id),
            secret=request.secret,
            overlap=read_span(request.overlap, present=request.HasField("overlap")),
        )
        written = writing.write_destination(destination)
        return wire.RotateSecretResponse(destination=written, secret=destination.secrets[0])

    @override
    async def TestDestination(self, request: wire.TestDestinationRequest, context: Any) -> wire.TestDestinationResponse:
        return writing.write_probed(await self._try_out.test(DestinationId(request.destination_id)))

    @override
    async def PreviewDestination(
        self, request: wire.PreviewDestinationRequest, context: Any
    ) -> wire.PreviewDestinationResponse:
        chunk_id = ChunkId(request.chunk_id) if request.chunk_id else None
        return writing.write_preview(await self._try_out.preview(DestinationId(request.destination_id), chunk_id))

    @override
    async def ListDeadLetters(self, request: wire.ListDeadLettersRequest, context: Any) -> wire.ListDeadLettersResponse:
        wanted = read_filter(request.destination_id, request.filter, closed=request.closed)
        size = request.page_size or LETTERS_A_PAGE
        found = await self._dead_letters.page(wanted, after=read_place(request.page_token), limit=size + 1)
        return wire.ListDeadLettersResponse(
            dead_letters=map(writing.write_letter, found[:size]),
            next_page_token=write_place(found[size - 1]) if len(found) > size else "",
        )

    @override
    async def GetDeadLetter(self, request: wire.GetDeadLetterRequest, context: Any) -> wire.GetDeadLetterResponse:
        letter, attempts = await self._dead_letters.get(
            DestinationId(request.destination_id), ChunkId(request.chunk_id), request.position
        )
        written = writing.write_letter(letter)
        return wire.GetDeadLetterResponse(dead_letter=written, attempts=writing.write_attempts(attempts))

    @override
    async def DiscardDeadLetters(
        self, request: wire.DiscardDeadLettersRequest, context: Any
    ) -> wire.DiscardDeadLettersResponse:
        wanted = read_filter(request.destination_id, request.filter)
        discarded = await self._dead_letters.discard(wanted, by=_caller(), reason=request.reason)
        return wire.DiscardDeadLettersResponse(discarded=discarded)

    @override
    async def ResolveUnknown(self, request: wire.ResolveUnknownRequest, context: Any) -> wire.ResolveUnknownResponse:
        wanted = read_filter(request.destination_id, request.filter)
        resolved = await self._dead_letters.resolve(
            wanted, delivered=request.delivered, by=_caller(), reason=request.reason
        )
        return wire.ResolveUnknownResponse(resolved=resolved)

    @override
    async def StartReplay(self, request: wire.StartReplayRequest, context: Any) -> wire.StartReplayResponse:
        wanted = read_filter(request.destination_id, request.filter)
        replay = await self._replays.start(wanted, by=_caller(), repeat_unknown=request.repeat_unknown)
        return wire.StartReplayResponse(replay=writing.write_replay(replay))

    @override
    async def ListReplays(self, request: wire.ListReplaysRequest, context: Any) -> wire.ListReplaysResponse:
        replays = await self._replays.list(DestinationId(request.destination_id))
        return wire.ListReplaysResponse(replays=map(writing.write_replay, replays))

    @override
    async def GetReplay(self, request: wire.GetReplayRequest, context: Any) -> wire.GetReplayResponse:
        replay = await self._replays.get(DestinationId(request.destination_id), ReplayId(request.replay_id))
        return wire.GetReplayResponse(replay=writing.write_replay(replay))

    @override
    async def ListAttempts(self, request: wire.ListAttemptsRequest, context: Any) -> wire.ListAttemptsResponse:
        attempts = await self._operator.attempts(ChunkId(request.chunk_id), DestinationId(request.destination_id))
        return wire.ListAttemptsResponse(attempts=writing.write_attempts(attempts))

    @override
    async def ListJobAttempts(self, request: wire.ListJobAttemptsRequest, context: Any) -> wire.ListJobAttemptsResponse:
        attempts = await self._operator.attempts_of(request.job_id, first_chunk=request.first_chunk)
        return wire.ListJobAttemptsResponse(attempts=map(writing.write_job_attempt, attempts))

    @override
    async def GetHealth(self, request: wire.GetHealthRequest, context: Any) -> wire.GetHealthResponse:
        return writing.write_watch(await self._watchdog.watch())

    @override
    async def RecognizeEchoes(self, request: wire.RecognizeEchoesRequest, context: Any) -> wire.RecognizeEchoesResponse:
        seen = [Written(remote_id=change.remote_id, values=dict(change.fields)) for change in request.changes]
        return wire.RecognizeEchoesResponse(echoes=await self._echoes.recognize(request.url, seen))

    @override
    async def ForgetAnswers(self, request: wire.ForgetAnswersRequest, context: Any) -> wire.ForgetAnswersResponse:
        await self._operator.forget_answers([ChunkId(each) for each in request.chunk_ids])
        return wire.ForgetAnswersResponse()


def _caller() -> str:
    """Who is named as having done it: only admin keys come this far."""
    caller = current_caller()
    return caller.client_id if isinstance(caller, ClientCaller) else ""

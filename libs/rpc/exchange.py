"""Calls between services over streams that are kept: how a server answers them."""

from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import grpc
from contactsync.exchange.v1.exchange_service_pb2 import ExchangeRequest, ExchangeResponse
from contactsync.exchange.v1.exchange_service_pb2_grpc import ExchangeServiceServicer
from google.rpc.status_pb2 import Status
from opentelemetry.context import Context, attach

from libs.rpc.call import CURRENT_CALL, Call, Metadata
from libs.rpc.caller import ServiceCaller
from libs.rpc.correlation import CORRELATION_HEADER
from libs.rpc.identity import SERVICE_HEADER
from libs.rpc.served import Served
from libs.rpc.tracing import TRACE_HEADER

_NO_CALL = ExchangeResponse()
"""Answers no call: at first that the caller was let in, and in the end that no other call will be begun."""
_DETAILS = "grpc-status-details-bin"


class Exchange(ExchangeServiceServicer):
    """Serves ExchangeService: the unary methods of one server, on a stream."""

    def __init__(self) -> None:
        self._methods: dict[str, Served] = {}

    def add(self, served: Served) -> None:
        """From now on the method can be called so."""
        self._methods[served.name] = served

    async def Exchange(  # noqa: N802 - gRPC's
        self, requests: AsyncIterator[ExchangeRequest], _context: Any
    ) -> AsyncIterator[ExchangeResponse]:
        """Each call is served as if it came by itself."""
        stream = CURRENT_CALL.get()
        yield _NO_CALL
        async for request in requests:
            yield await self._answer(request, stream)
        yield _NO_CALL

    async def _answer(self, request: ExchangeRequest, stream: Call) -> ExchangeResponse:
        served = self._methods.get(request.method)
        if served is None:
            return ExchangeResponse(status=Status(code=grpc.StatusCode.UNIMPLEMENTED.value[0]))
        call = _CallOnStream(stream, request)
        attach(Context())  # nothing of the call before
        CURRENT_CALL.set(call)
        try:
            return ExchangeResponse(message=await served.serve(request.message, call))
        except _Refused as refused:
            return ExchangeResponse(status=refused.status)


class _Refused(Exception):
    """A call of a stream ended with a refusal; the stream goes on."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.code)
        self.status = status


class _CallOnStream(Call):
    """One call of a stream, by the statement and on the connection of the stream."""

    __slots__ = ("_seconds", "_stream")

    def __init__(self, stream: Call, request: ExchangeRequest) -> None:
        headers = {SERVICE_HEADER: stream.headers[SERVICE_HEADER]}
        if request.correlation_id:
            headers[CORRELATION_HEADER] = request.correlation_id
        if request.traceparent:
            headers[TRACE_HEADER] = request.traceparent
        super().__init__(stream.context, headers)
        self._stream = stream
        self._seconds = request.timeout_ms / 1000

    def seconds_left(self) -> float:
        """By what the request says: the stream itself has no end."""
        return self._seconds - (perf_counter() - self.began)

    def is_certified(self, service: str) -> bool:
        """As the stream was, when the door let its caller in on this connection."""
        return self._stream.caller == ServiceCaller(service)

    async def start_answer(self) -> None:
        """Nothing: what stands in metadata is for callers from outside."""

    async def abort(self, code: grpc.StatusCode, message: str, metadata: Metadata) -> None:  # noqa: ARG002 - the details have all
        """The stream goes on."""
        details = next(value for key, value in metadata if key == _DETAILS)
        raise _Refused(Status.FromString(details))

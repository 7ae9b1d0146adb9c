"""One method of a server, with all that a call of it needs: correlation, trace, door, validation, last door."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias, cast

import grpc
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from opentelemetry.context import attach
from protovalidate import Validator

from libs.rpc.call import CURRENT_CALL, Call
from libs.rpc.correlation import CORRELATION_HEADER, given_correlation_id, make_correlation_id
from libs.rpc.credentials import challenge
from libs.rpc.door import Door
from libs.rpc.envelope import ascii_envelope, envelope, status_details, status_message
from libs.rpc.identity import SERVICE_HEADER
from libs.rpc.last_door import tell
from libs.rpc.load import Load, unavailable
from libs.rpc.numbers import ServerNumbers
from libs.rpc.refusal import Refusal
from libs.rpc.rules import Rule, is_http_body, read_rule
from libs.rpc.told import Envelope, Told
from libs.rpc.tracing import TRACE_HEADER, attributes_of, begin_span, bind_correlation_id, tell_refusal
from libs.rpc.validation import read_request

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

# A gRPC client takes 8 KiB of headers in all. Envoy takes 60, and it is the one that needs the body.
_GATEWAY_BODY, _GATEWAY_DETAILS = 8 * 1024, 512
_DIRECT_BODY, _DIRECT_DETAILS = 2560, 2048


class Served:
    """One method, with all that is known of it before a call comes."""

    def __init__(  # noqa: PLR0917 - all that the chain has, made once per method
        self,
        method: MethodDescriptor,
        handler: Handler,
        door: Door,
        load: Load,
        validator: Validator,
        numbers: ServerNumbers,
    ) -> None:
        self._rule: Rule = read_rule(method)
        self.name = self._rule.method
        """"package.Service/Method"."""
        self._attributes = attributes_of(self._rule.method)
        self.answers_rest = is_http_body(method)
        """True: refusals too are bytes that the gateway writes."""
        self._parse = cast("Callable[[bytes], Message]", handler.request_deserializer)
        behaviour = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
        self._behaviour = cast("Callable[..., Any]", behaviour)
        self._door = door
        self._load = load
        self._validator = validator
        self._numbers = numbers
        self._streams_answers = handler.response_streaming

    async def answer(self, raw: bytes, context: Context) -> bytes:
        """Serves a unary call that came by itself."""
        return await self.serve(raw, _begin(context))

    async def serve(self, raw: bytes, call: Call) -> bytes:
        """Serves a unary call, by whatever way it came; its task must know it as the current one."""
        return await self._answer(call, raw, lambda: read_request(self._parse, raw, self._validator))

    async def take_stream(self, messages: AsyncIterator[bytes], context: Context) -> bytes:
        """Serves a call with a stream of requests."""
        return await self._answer(_begin(context), b"", lambda: self._requests(messages))

    async def _answer(self, call: Call, raw: bytes, read: Callable[[], Any]) -> bytes:
        """`read` gives the behaviour what it takes, once the call is let in."""
        try:
            await self._let_in(call, raw)
            response: bytes = (await self._behaviour(read(), call.context)).SerializeToString()
            await call.start_answer()
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - this is the last door
            return await self._refuse(call, error)
        else:
            call.code = "OK"
            return response
        finally:
            self._end(call)

    async def give_stream(self, raw: bytes, context: Context) -> AsyncIterator[bytes]:
        """Serves a call with a stream of answers."""
        call = _begin(context)
        try:
            await self._let_in(call, raw)
            self._load.hold_stream()
            request = read_request(self._parse, raw, self._validator)
            async for response in self._behaviour(request, context):
                await self._door.admit_again(call)
                await call.start_answer()
                yield response.SerializeToString()
            await call.start_answer()
        except grpc.aio.AbortError:
            raise
        except asyncio.CancelledError:
            if not self._load.stopping:
                raise
            await self._refuse(call, unavailable())
        except Exception as error:  # noqa: BLE001 - this is the last door
            await self._refuse(call, error)
        finally:
            self._end(call)

    async def exchange(self, messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """Serves a stream of calls, until its caller or a stop of the server ends it.

        Who opened it is judged here, and takes no place: each call is judged by its own rule, and takes one.
        """
        stream = _begin(context)
        try:
            self._bind(stream)
            await self._door.admit(stream, self._rule, b"")
            async for response in self._behaviour(self._requests(self._load.between_calls(messages)), context):
                yield response.SerializeToString()
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - this is the last door
            await self._refuse(stream, error)
        finally:
            self._end(stream)

    async def _requests(self, messages: AsyncIterator[bytes]) -> AsyncIterator[Message]:
        async for raw in messages:
            yield read_request(self._parse, raw, self._validator)

    async def _let_in(self, call: Call, raw: bytes) -> None:
        self._bind(call)
        if not self._rule.open:
            size = len(raw) if self.answers_rest else 0
            self._load.enter(size, partner=self.answers_rest)
            call.counted = size
        await self._door.admit(call, self._rule, raw)

    def _bind(self, call: Call) -> None:
        """Binds correlation id and trace.

        A refused correlation id is replaced by a made one first, which the refusal carries.
        """
        internal = SERVICE_HEADER in call.headers
        refusal: Refusal | None = None
        given: str | None = None
        try:
            given = given_correlation_id(call.headers, call.repeated)
        except Refusal as refused:
            refusal = refused
        # A batched call between services has none: its items have their own.
        call.correlation_id = given or ("" if internal else make_correlation_id())
        if not internal:
            call.standing.append((CORRELATION_HEADER, call.correlation_id))
        self._bind_trace(call, internal=internal)
        if refusal:
            raise refusal

    def _bind_trace(self, call: Call, *, internal: bool) -> None:
        traceparent = call.headers.get(TRACE_HEADER, "")
        if self._rule.open or (internal and not traceparent):
            if call.correlation_id:
                attach(bind_correlation_id(call.correlation_id))
            return
        context, call.span = begin_span(
            self._rule.method,
            traceparent=traceparent,
            correlation_id=call.correlation_id,
            attributes=self._attributes,
        )
        attach(context)

    async def _refuse(self, call: Call, error: Exception) -> bytes:
        """Answers with the refusal on a REST route, aborts otherwise."""
        told = tell(error, self._rule.method)
        call.code = told.wire.grpc_code.name
        self._numbers.refused(self._rule.method, told.wire.reason)
        tell_refusal(call.span, told.wire)
        call.answered = _refusal_metadata(told)
        if told.wire.http_status == 401 and (asked := challenge(self._rule)):
            call.answered.append(("www-authenticate", asked))
        if SERVICE_HEADER in call.headers and call.correlation_id:
            call.standing.append((CORRELATION_HEADER, call.correlation_id))
        if self.answers_rest:
            await call.start_answer()
            data = envelope(told, self._rule.envelope)
            body: bytes = HttpBody(content_type="application/json", data=data).SerializeToString()
            return body
        bodies = _bodies(told, self._rule.envelope, through_gateway="x-forwarded-for" in call.headers)
        await call.abort(told.wire.grpc_code, status_message(told), (*call.standing, *call.answered, *bodies))
        raise AssertionError("abort returned")

    def _end(self, call: Call) -> None:
        if call.counted is not None:
            self._load.leave(call.counted)
        if not self._streams_answers:
            self._numbers.ended(self._rule.method, call.code, began=call.began, span=call.span)
        call.span.end()


def _begin(context: Context) -> Call:
    call = Call.of(context)
    CURRENT_CALL.set(call)  # gRPC gives every call a task, hence a context, of its own: nothing to reset
    return call


def _refusal_metadata(told: Told) -> list[tuple[str, str]]:
    metadata = [("x-http-status", str(told.wire.http_status))]
    if seconds := told.retry_after_seconds:
        metadata.append(("retry-after", seconds))
    return metadata


def _bodies(told: Told, shape: Envelope, *, through_gateway: bool) -> tuple[tuple[str, str | bytes], ...]:
    """The refusal twice: as a REST body for the gateway to write, and as the details of the gRPC status."""
    body = _GATEWAY_BODY if through_gateway else _DIRECT_BODY
    details = _GATEWAY_DETAILS if through_gateway else _DIRECT_DETAILS
    return (
        ("x-error-body", ascii_envelope(told, body, shape)),
        ("grpc-status-details-bin", status_details(told, details)),
    )

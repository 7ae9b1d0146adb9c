"""The call that is being served: what entrances may ask about it."""

from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from time import perf_counter
from typing import Any, TypeAlias

import grpc
from google.api.httpbody_pb2 import HttpBody
from opentelemetry.trace import INVALID_SPAN, Span

from libs.rpc.caller import Caller, ClientCaller, WorkspaceCaller
from libs.rpc.refusal import Refusal
from libs.rpc.tls import identity_of

_INSECURE = [b"insecure"]
Metadata: TypeAlias = tuple[tuple[str, str | bytes], ...]


class Call:
    """One call while it is served. Kept lean: one is made per call."""

    __slots__ = (
        "answered",
        "began",
        "caller",
        "code",
        "context",
        "correlation_id",
        "counted",
        "headers",
        "repeated",
        "span",
        "standing",
        "started",
    )

    def __init__(
        self,
        context: "grpc.aio.ServicerContext[Any, Any]",
        headers: Mapping[str, str],
        repeated: frozenset[str] = frozenset(),
    ) -> None:
        self.context = context
        self.headers = headers
        """Metadata of the request; of a key given twice, the last."""
        self.repeated = repeated
        """Keys given more than once."""
        self.caller: Caller | None = None
        self.correlation_id = ""
        self.standing: list[tuple[str, str]] = []
        """Metadata that every answer to this call carries, refusals too."""
        self.answered: list[tuple[str, str]] = []
        """Metadata of the entrance's own answer; a refusal drops it."""
        self.counted: int | None = None
        """With how many bytes the server's load counts it; None: it does not."""
        self.span: Span = INVALID_SPAN
        self.started = False
        """True: the initial metadata is sent."""
        self.began = perf_counter()
        self.code = "CANCELLED"
        """Of gRPC, by name: how the call ended, unless it is told otherwise."""

    @classmethod
    def of(cls, context: "grpc.aio.ServicerContext[Any, Any]") -> "Call":
        """The call that came with this metadata."""
        metadata = context.invocation_metadata() or ()
        headers: Mapping[str, str] = dict(metadata)  # type: ignore[arg-type]  # bytes only under -bin keys, which nobody reads
        if len(headers) == len(metadata):
            return cls(context, headers)
        counted = Counter(key for key, _ in metadata)
        return cls(context, headers, frozenset(key for key, times in counted.items() if times > 1))

    def seconds_left(self) -> float | None:
        """Until the caller waits no longer. None: it did not say."""
        return self.context.time_remaining()

    def is_certified(self, service: str) -> bool:
        """True: the certificate that the caller showed is this service's, or the connection has none."""
        shown = self.context.auth_context()
        if shown.get("transport_security_type") == _INSECURE:
            return True
        return identity_of(service).encode() in shown.get("x509_subject_alternative_name", ())

    async def start_answer(self) -> None:
        """Sends the initial metadata, once.

        Nothing is sent when there is none: sending costs some 40 µs of both sides.
        """
        metadata = (*self.standing, *self.answered)
        if metadata and not self.started:
            self.started = True
            await self.context.send_initial_metadata(metadata)

    async def abort(self, code: grpc.StatusCode, message: str, metadata: Metadata) -> None:
        """Ends the call with a refusal, by raising."""
        await self.context.abort(code, message, trailing_metadata=metadata)


CURRENT_CALL: ContextVar[Call] = ContextVar("current_call")


def current_caller() -> Caller:
    """Who made the call that is being served. LookupError outside a call and in a method that is open to anyone."""
    caller = CURRENT_CALL.get().caller
    if caller is None:
        raise LookupError("an open method has no caller")
    return caller


def current_client() -> ClientCaller:
    """The API client that made the call. Refuses with FORBIDDEN when a service made it."""
    caller = current_caller()
    if isinstance(caller, ClientCaller):
        return caller
    raise Refusal("FORBIDDEN", "This call is for API clients.")


def current_workspace() -> WorkspaceCaller:
    """Who shows a workspace's credential. Refuses with FORBIDDEN when a client or a service made the call."""
    caller = current_caller()
    if isinstance(caller, WorkspaceCaller):
        return caller
    raise Refusal("FORBIDDEN", "This call is for holders of a workspace's credential.")


def current_headers() -> Mapping[str, str]:
    """Metadata of the call that is being served: lower-case keys; of a key given twice, the last.

    LookupError outside a call.
    """
    return CURRENT_CALL.get().headers


async def answer(
    context: "grpc.aio.ServicerContext[Any, Any]",  # noqa: ARG001 - entrances name the call they answer
    *,
    body: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> HttpBody:
    """An answer on a REST route, byte for byte. `headers` need lower-case names and ASCII values.

    The server sends the metadata with its own, once: an entrance must not call `send_initial_metadata` itself.
    """
    call = CURRENT_CALL.get()
    if status != 200:
        call.answered.append(("x-http-status", str(status)))
    if headers:
        call.answered.extend(headers.items())
    return HttpBody(content_type=content_type, data=body)

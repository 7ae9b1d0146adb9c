"""The call that is being served: what entrances may ask about it."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import grpc
from google.api.httpbody_pb2 import HttpBody

from libs.rpc.caller import Caller, ClientCaller
from libs.rpc.refusal import Refusal


class Call:
    """One call while it is served. Kept lean: one is made per call."""

    __slots__ = ("caller", "context", "correlation_id", "headers", "initial_metadata")

    def __init__(self, context: "grpc.aio.ServicerContext[Any, Any]", headers: Mapping[str, str]) -> None:
        self.context = context
        self.headers = headers
        """Metadata of the request, text values only, each key once."""
        self.caller: Caller | None = None
        self.correlation_id = ""
        self.initial_metadata: list[tuple[str, str]] = []
        """Sent in one go before the first message."""


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


def current_headers() -> Mapping[str, str]:
    """Metadata of the call that is being served: lower-case keys, text values; of a key given twice, the last. LookupError outside a call."""
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
        call.initial_metadata.append(("x-http-status", str(status)))
    if headers:
        call.initial_metadata.extend(headers.items())
    return HttpBody(content_type=content_type, data=body)

"""Calls to another service of the hub."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import grpc

from libs.rpc.identity import Identity
from libs.rpc.refusal import Violation

Request = TypeVar("Request")
Response = TypeVar("Response")


class PeerRefused(Exception):
    """A peer answered and said no. To the caller of this service it is an INTERNAL_ERROR unless an adapter says what it means."""

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason, message)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class PeerUnavailable(Exception):
    """A peer did not answer, or not in time; whether it did the work is not known. To the caller: SERVICE_UNAVAILABLE."""

    def __init__(self, method: str, code: grpc.StatusCode) -> None:
        super().__init__(method, code.name)
        self.method = method
        self.code = code
        self.reason = "SERVICE_UNAVAILABLE"
        self.message = "A part of the hub does not answer now; try again."
        self.retry_after = timedelta(seconds=1)


class Peer:
    """One channel to one service. Made in `main`, closed there."""

    channel: grpc.aio.Channel
    """For the stubs, whose methods go to `call`."""

    def __init__(self, address: str, *, identity: Identity) -> None:
        """`address` is host:port. Nothing is connected before the first call."""

    async def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Request, Response]",
        request: Request,
        *,
        timeout: timedelta = timedelta(seconds=5),  # noqa: ASYNC109 - a deadline travels with a call, no asyncio.timeout can do that
    ) -> Response:
        """Calls with identity, correlation id, trace and a deadline: `timeout`, or what is left of the call being served, if less.

        Tries again only on UNAVAILABLE and only what has no side effects. Raises PeerRefused or PeerUnavailable.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """Closes the channel."""

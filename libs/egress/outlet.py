"""HTTP to a system outside: one question, one answer, within bounds that the other side cannot move."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from time import perf_counter
from typing import Self

import aiohttp
from aiohttp.http import HttpProcessingError
from yarl import URL

from libs.egress.exchange import FAULTS, Answer, Exchange
from libs.egress.rules import EgressRules, ForbiddenAddressError
from libs.egress.tracing import asking, tell, trace_headers
from libs.measures import About, Histogram, Measures

READ_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. Its status stands, whatever became of its body. What may hold contact data is not printed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names in any case."""
    body: bytes = field(repr=False)
    """At most as many bytes as were asked for, unpacked when they came packed by gzip or deflate."""
    whole: bool
    """False: the body was longer, was cut off, or was packed in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """No answer came. `reached`: something of the question may have arrived. The message holds nothing of the URL."""

    message: str
    reached: bool


class Outlet:
    """Follows no redirect, keeps no cookie, trusts no proxy of the environment, checks every address it connects to."""

    def __init__(self, shared: Exchange, *, unshared: Exchange, rules: EgressRules) -> None:
        """`unshared` keeps no connection."""
        self._shared = shared
        self._unshared = unshared
        self._rules = rules
        self._durations = Histogram(_DURATION)

    @property
    def measures(self) -> Measures:
        """What it counts of its questions."""
        return Measures(instruments=(self._durations,))

    @classmethod
    def open(cls, rules: EgressRules) -> Self:
        """Open the connections that questions share. Needs a running loop. How many at once: the caller bounds it."""
        return cls(Exchange(rules, keeps=True), unshared=Exchange(rules, keeps=False), rules=rules)

    async def close(self) -> None:
        """Close the connections."""
        await self._shared.close()
        await self._unshared.close()

    async def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeout: timedelta,  # noqa: ASYNC109 - of the whole question, connecting and reading included, which only the one who asks it can bound
        read_limit: int = READ_LIMIT,
        unshared: bool = False,
    ) -> Reply | Unanswered:
        """Ask once, in the current trace. Reads at most `read_limit` bytes of the answer's body, packed and unpacked.

        `unshared`: on a connection of its own. A kept one may be closed by the other side just as it is used again,
        and then nobody knows whether the question arrived.
        """
        target = _parsed(url)
        # A literal address needs no resolver, so the resolver's check does not see it.
        if not self._rules.may_call_host(target.raw_host or ""):
            return _FORBIDDEN
        exchange = self._unshared if unshared else self._shared
        began, told = perf_counter(), "cancelled"
        with asking(method, target) as span:
            try:
                answer = await exchange.ask(
                    method,
                    target,
                    headers={**headers, **trace_headers()},
                    body=body,
                    seconds=timeout.total_seconds(),
                    limit=read_limit,
                )
                told = str(answer.status)
                return _unpacked(answer, read_limit)
            except FAULTS as failure:
                told = type(failure).__name__
                return _read_failure(failure)
            finally:
                self._durations.record(perf_counter() - began, (method, told))
                tell(span, told)


_DURATION = About(
    name="http.client.request.duration",
    text="How long systems outside take to answer, body included, by status; by what went wrong where none came.",
    unit="s",
    labels=("http.request.method", "http.response.status_code"),
)


@lru_cache(maxsize=256)
def _parsed(url: str) -> URL:
    return URL(url)


def _unpacked(answer: Answer, limit: int) -> Reply:
    content, unpacked = _unpack(answer.body, answer.headers.get("Content-Encoding", ""), limit)
    return Reply(status=answer.status, headers=answer.headers, body=content, whole=answer.whole and unpacked)


def _unpack(packed: bytes, encoding: str, limit: int) -> tuple[bytes, bool]:
    """Never more than `limit` bytes, however much was packed into few."""
    match encoding.strip().lower():
        case "" | "identity":
            return packed, True
        case "gzip" | "x-gzip" | "deflate":
            unpacking = zlib.decompressobj(wbits=47)
            try:
                content = unpacking.decompress(packed, limit)
            except zlib.error:
                return b"", False
            return content, unpacking.eof
        case _:
            return b"", False


_FORBIDDEN = Unanswered(message="The receiver's address is one that the hub may not call.", reached=False)
_FAILURES: tuple[tuple[type[Exception], Unanswered], ...] = (
    (aiohttp.ClientConnectorDNSError, Unanswered(message="The receiver's name does not resolve.", reached=False)),
    (aiohttp.ClientSSLError, Unanswered(message="TLS with the receiver failed.", reached=False)),
    (aiohttp.ClientConnectorError, Unanswered(message="The receiver could not be reached.", reached=False)),
    (aiohttp.ConnectionTimeoutError, Unanswered(message="The receiver could not be reached in time.", reached=False)),
    (aiohttp.InvalidURL, Unanswered(message="The receiver's URL cannot be called.", reached=False)),
    (TimeoutError, Unanswered(message="The receiver did not answer in time.", reached=True)),
    (HttpProcessingError, Unanswered(message="The answer was not HTTP, or over its limits.", reached=True)),
    (Exception, Unanswered(message="The line was cut before an answer.", reached=True)),
)
"""The first that fits. A failure's own text may hold the URL, so it is not told."""


def _read_failure(failure: Exception) -> Unanswered:
    if isinstance(failure, aiohttp.ClientConnectorDNSError) and isinstance(failure.os_error, ForbiddenAddressError):
        return _FORBIDDEN
    return next(answer for kind, answer in _FAILURES if isinstance(failure, kind))

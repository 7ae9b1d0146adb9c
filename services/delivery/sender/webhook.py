"""One POST per chunk, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Self

import aiohttp
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override
from yarl import URL

from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.ports import Clock, Sender
from services.delivery.sender.body import build_body, sign
from services.delivery.sender.egress import CheckedResolver, EgressRules, ForbiddenAddressError

READ_LIMIT = 64 * 1024
CONNECTING_S = 5.0

_FORBIDDEN = NoAnswer(message="The receiver's address is one that the hub may not call.", reached=False)
_traces = TraceContextTextMapPropagator()
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


class WebhookSender(Sender):
    """Follows no redirect, trusts no proxy of the environment, reads at most `READ_LIMIT` bytes of an answer."""

    def __init__(self, session: aiohttp.ClientSession, *, rules: EgressRules, clock: Clock) -> None:
        self._session = session
        self._rules = rules
        self._clock = clock

    @classmethod
    def open(cls, *, rules: EgressRules, clock: Clock) -> Self:
        """Open the connections that deliveries share. Needs a running loop."""
        # No limit here: the lanes of the handler bound what is under way.
        connector = aiohttp.TCPConnector(limit=0, resolver=CheckedResolver(rules), ttl_dns_cache=30)
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers={"User-Agent": "contactsync", "Content-Type": "application/json"},
        )
        return cls(session, rules=rules, clock=clock)

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """POST once."""
        destination = parcel.destination
        url = _parsed(destination.url)
        # A literal address needs no resolver, so the resolver's check does not see it.
        if not self._rules.may_call_host(url.raw_host or ""):
            return _FORBIDDEN
        body = build_body(parcel)
        try:
            async with self._session.post(
                url,
                data=body,
                headers=self._headers(parcel, body),
                timeout=_timeout(destination.retry.timeout.total_seconds()),
                allow_redirects=False,
            ) as response:
                await _drain(response)
                return _answer(response.status, response.headers, parcel, now=self._clock.now())
        except (aiohttp.ClientError, TimeoutError) as failure:
            return _read_failure(failure)

    def _headers(self, parcel: Parcel, body: bytes) -> dict[str, str]:
        delivery_id = parcel.ref.key.delivery_id
        at = int(parcel.started_at.timestamp())
        headers = {
            "webhook-id": delivery_id,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(body, delivery_id=delivery_id, at=at, secret=parcel.destination.secret),
            "Idempotency-Key": delivery_id,
        }
        if parcel.ref.correlation_id:
            headers["X-Correlation-ID"] = parcel.ref.correlation_id
        # No baggage: it is the hub's own, and the correlation id has its header.
        _traces.inject(headers)
        return headers


@lru_cache(maxsize=256)
def _parsed(url: str) -> URL:
    return URL(url)


@lru_cache(maxsize=256)
def _timeout(total: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=min(CONNECTING_S, total))


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the answer's body, so that its connection can be used again. The status stands, whatever comes after it."""
    read = 0
    try:
        while read < READ_LIMIT and not response.content.at_eof():
            read += len(await response.content.readany())
    except (aiohttp.ClientError, TimeoutError):
        response.close()


def _answer(status: int, headers: Mapping[str, str], parcel: Parcel, *, now: datetime) -> Answer:
    if 200 <= status < 300:
        return Taken(states=bytes([RowState.CREATED]) * parcel.count, status=status)
    asked = headers.get("Retry-After")
    retry_after = None if asked is None else parse_retry_after(asked, now=now)
    return Refused(status=status, message=f"The receiver answered {status}.", retry_after=retry_after)


def parse_retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Read seconds or an HTTP date (RFC 9110, 10.2.3). None: it is neither; a time that is over is zero."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))


_FAILURES: tuple[tuple[type[Exception], NoAnswer], ...] = (
    (aiohttp.ClientConnectorDNSError, NoAnswer(message="The receiver's name does not resolve.", reached=False)),
    (aiohttp.ClientSSLError, NoAnswer(message="TLS with the receiver failed.", reached=False)),
    (aiohttp.ClientConnectorError, NoAnswer(message="The receiver could not be reached.", reached=False)),
    (aiohttp.ConnectionTimeoutError, NoAnswer(message="The receiver could not be reached in time.", reached=False)),
    (aiohttp.InvalidURL, NoAnswer(message="The receiver's URL cannot be called.", reached=False)),
    (TimeoutError, NoAnswer(message="The receiver did not answer in time.", reached=True)),
    (aiohttp.ClientResponseError, NoAnswer(message="The answer was not HTTP, or over its limits.", reached=True)),
    (Exception, NoAnswer(message="The line was cut before an answer.", reached=True)),
)
"""The first that fits. A failure's own text may hold the URL, so it is not told."""


def _read_failure(failure: aiohttp.ClientError | TimeoutError) -> NoAnswer:
    if isinstance(failure, aiohttp.ClientConnectorDNSError) and isinstance(failure.os_error, ForbiddenAddressError):
        return _FORBIDDEN
    return next(answer for kind, answer in _FAILURES if isinstance(failure, kind))

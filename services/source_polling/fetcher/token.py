"""The bearer token of a custom contact source: fetched with Basic auth, kept until shortly before it ends."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from libs.egress import Reply
from services.source_polling.domain.source import Credentials
from services.source_polling.fetcher.line import Line, answered_at
from services.source_polling.ports.fetching import Deferred, Failed

_MARGIN = timedelta(seconds=30)
_TOLD_TO = timedelta(seconds=1)
"""A source's `Date` leaves out the part of a second that has gone."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}", re.ASCII)


class _Answer(msgspec.Struct):
    token: str


class _Claims(msgspec.Struct):
    exp: float | None = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode


@dataclass(frozen=True, slots=True)
class Token:
    """A token. `stale_at`: when another is fetched rather than use it, by the hub's clock. None: nobody can tell."""

    header: str
    stale_at: datetime | None

    def is_stale(self, now: datetime) -> bool:
        """Whether it has ended, or is about to."""
        return self.stale_at is not None and now >= self.stale_at


class Tokens:
    """The token of a session, and how many were fetched for it."""

    def __init__(self, line: Line, credentials: Credentials) -> None:
        user = f"{credentials.client_id}:{credentials.client_secret}".encode()
        self._basic = {"Authorization": "Basic " + base64.b64encode(user).decode()}
        self._line = line
        self._token: Token | None = None
        self.fetched = 0

    async def current(self) -> Token | Deferred | Failed:
        """Give one that has not ended, fetched if need be."""
        if self._token is not None and not self._token.is_stale(self._line.now()):
            return self._token
        return await self.renew()

    async def renew(self) -> Token | Deferred | Failed:
        """Fetch one, whatever there is."""
        self._token = None
        reply = await self._line.ask("GET", "/token", headers=self._basic)
        if not isinstance(reply, Reply):
            return reply
        if reply.status == 401:
            return Failed(reason="The source refuses the client id and secret.", retryable=False)
        token = read_token(reply, now=self._line.now())
        if isinstance(token, Token):
            self._token = token
            self.fetched += 1
        return token


def read_token(reply: Reply, *, now: datetime) -> Token | Failed:
    """Read the answer to a request for a token that came at `now`."""
    try:
        text = _decode_answer(reply.body).token
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Failed(reason="The source answered a request for a token with something else.", retryable=True)
    if _TOKEN.fullmatch(text) is None:
        return Failed(reason="The source gave a token that no HTTP header can carry.", retryable=False)
    return Token(f"Bearer {text}", _stale_at(read_end(text), source_now=answered_at(reply) or now, now=now))


def read_end(token: str) -> float | None:
    """Read `exp` of a JWT, in UNIX seconds; its signature is the source's own concern. None: it has none."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        return _decode_claims(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).exp
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _stale_at(ends_at: float | None, *, source_now: datetime, now: datetime) -> datetime | None:
    """By the source's clock it lives so long; the hub's may go otherwise. One that is over already tells nothing.

    One that lives a second or so is stale at once: it serves the page that it was fetched for.
    """
    if ends_at is None:
        return None
    lifetime_s = ends_at - source_now.timestamp()
    if not 0 < lifetime_s < timedelta(days=36500).total_seconds():
        return None
    lifetime = timedelta(seconds=lifetime_s)
    return now + lifetime - _TOLD_TO - min(_MARGIN, lifetime / 10)

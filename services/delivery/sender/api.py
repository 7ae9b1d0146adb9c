"""JSON over HTTP to a system outside, within the time that one part may take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from libs.egress import Outlet, Unanswered, parse_retry_after
from services.delivery.domain.answer import RETRYABLE
from services.delivery.domain.delivery import Parcel
from services.delivery.ports import Clock

LEAST = timedelta(milliseconds=100)
"""With less time left nothing is asked any more."""
READ_LIMIT = 1024 * 1024
"""Of one answer: a workspace of many fields, or a search of many contacts, is more than 64 KiB."""
_OF_DESTINATION = frozenset({401, 402, 403, 404, 405, 410})
OUT_OF_TIME = Unanswered(message="The time for this part was over.", reached=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An answer. `data` is None when it was not JSON, or not whole."""

    status: int
    data: Any = field(repr=False)
    body: bytes = field(repr=False)
    retry_after: timedelta | None

    @property
    def is_passing(self) -> bool:
        """Later it may answer otherwise. A success that cannot be read counts, since what stands in it is not known."""
        return self.status in RETRYABLE or self.status >= 500 or (self.status < 300 and self.data is None)

    @property
    def is_of_destination(self) -> bool:
        """It is about the credentials, the address or the licence, where the system does not say otherwise."""
        return self.status in _OF_DESTINATION or 300 <= self.status < 400

    def member(self, *names: str) -> Any:
        """Give the first of these members that the answer has. None: it has none, or is no object."""
        return member(self.data, *names)


class Api:
    """One system, for the time of one part."""

    def __init__(
        self, outlet: Outlet, *, clock: Clock, parcel: Parcel, base: str, headers: Mapping[str, str], until: datetime
    ) -> None:
        """`headers` go with every question, and hold the credentials."""
        self._outlet = outlet
        self._clock = clock
        self._base = base.rstrip("/")
        self._headers = dict(headers) | {"Accept": "application/json"}
        self._timeout = parcel.destination.retry.timeout
        self._until = until
        if parcel.ref.correlation_id:
            self._headers["X-Correlation-ID"] = parcel.ref.correlation_id
        self._headers = beside(parcel.destination.headers, self._headers)

    async def ask(self, method: str, path: str, body: Any = None) -> Said | Unanswered:
        """Ask once."""
        left = min(self._until - self._clock.now(), self._timeout)
        if left < LEAST:
            return OUT_OF_TIME
        typed = {} if body is None else {"Content-Type": "application/json"}
        reply = await self._outlet.ask(
            method,
            self._base + path,
            headers=self._headers | typed,
            body=None if body is None else msgspec.json.encode(body),
            timeout=left,
            read_limit=READ_LIMIT,
        )
        if isinstance(reply, Unanswered):
            return reply
        asked = reply.headers.get("Retry-After")
        return Said(
            status=reply.status,
            data=_decoded(reply.body) if reply.whole else None,
            body=reply.body,
            retry_after=None if asked is None else parse_retry_after(asked, now=self._clock.now()),
        )


def beside(theirs: Mapping[str, str], ours: Mapping[str, str]) -> dict[str, str]:
    """Return both, without those of theirs that would take the place of one of ours, or stand beside it."""
    if not theirs:
        return dict(ours)
    names = {name.lower() for name in ours}
    return {name: value for name, value in theirs.items() if name.lower() not in names} | dict(ours)


def member(data: Any, *names: str) -> Any:
    """Give the first of these members that an object has and that is not null. None: none of them."""
    if not isinstance(data, dict):
        return None
    return next((data[name] for name in names if data.get(name) is not None), None)


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return None

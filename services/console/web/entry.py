"""Signing in and out."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from contactsync.access.v1.access_service_pb2 import GetClientRequest

from libs.rpc import PeerRefused, PeerUnavailable
from libs.rpc.limits import Buckets
from services.console.peers import Operator, Services, serving

_WRONG_PER_SECOND, _WRONG_AT_ONCE = 1 / 6, 10.0
# Whoever is told that there is no such client was let in as an operator.
_NO_CLIENT = GetClientRequest(client_id="-")


@dataclass(frozen=True, slots=True)
class NotLetIn:
    """Why a key does not open the console: a word, an HTTP status, and the seconds to wait."""

    word: str
    status: int
    seconds: int = 0


class Entry:
    """Asks access whether a key is an operator's. Wrong keys are limited for each address, here and by access."""

    def __init__(self, services: Services, *, monotonic: Callable[[], float]) -> None:
        """`monotonic` is seconds."""
        self._services = services
        self._wrong = Buckets()
        self._monotonic = monotonic

    async def judge(self, operator: Operator) -> NotLetIn | None:
        """None: the key opens the console."""
        if seconds := self._seconds_to_wait(operator.address):
            return NotLetIn("entry.too_many", 429, seconds)
        refused = await self._ask(operator)
        if refused and refused.status in {401, 403}:
            self._wrong.take(operator.address, rate=_WRONG_PER_SECOND, burst=_WRONG_AT_ONCE, now=self._monotonic())
        return refused

    def _seconds_to_wait(self, address: str) -> int:
        level = self._wrong.level(address, rate=_WRONG_PER_SECOND, burst=_WRONG_AT_ONCE, now=self._monotonic())
        return 0 if level >= 1 else math.ceil((1 - level) / _WRONG_PER_SECOND)

    async def _ask(self, operator: Operator) -> NotLetIn | None:
        if not operator.key.isascii() or not operator.key.isprintable() or not operator.key:
            return NotLetIn("entry.wrong", 401)
        try:
            with serving(operator):
                await self._services.ask(self._services.access.GetClient, _NO_CLIENT)
        except PeerUnavailable:
            return NotLetIn("entry.unavailable", 503)
        except PeerRefused as refused:
            return _refusal(refused)
        return None


def _refusal(refused: PeerRefused) -> NotLetIn | None:
    match refused.reason:
        case "NOT_FOUND":
            return None
        case "UNAUTHORIZED":
            return NotLetIn("entry.wrong", 401)
        case "FORBIDDEN":
            return NotLetIn("entry.not_admin", 403)
        case "RATE_LIMIT_EXCEEDED":
            seconds = math.ceil(refused.retry_after.total_seconds()) if refused.retry_after else 1
            return NotLetIn("entry.too_many", 429, seconds)
        case _:
            return NotLetIn("entry.unavailable", 503)

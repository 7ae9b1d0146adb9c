"""What a publisher and a consumer see of the bus, and what a delivered message may be answered with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpec:
    """A stream of work: kept on disk, each message leaves when its one consumer has acknowledged it.

    When the stream is full a publish is refused (`BusUnavailable`); nothing that waits is thrown away for it.
    """

    name: str
    subjects: tuple[str, ...]
    max_bytes: int
    """Room on disk, in bytes. The server refuses the stream if its own limit has no room for it."""
    duplicate_window: timedelta
    """Within it a message id counts once. No shorter than the longest time a publisher may repeat itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it was delivered. While it is delivered, the OpenTelemetry context of its publisher is bound."""

    subject: str
    payload: bytes
    message_id: str
    delivered: int
    """How many times it came, this one included: 1 the first time."""
    waited: timedelta = field(default=timedelta(0), compare=False)
    """How long it lay on the bus."""


@dataclass(frozen=True, slots=True)
class Ack:
    """Done: the message never comes again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Not now: the message comes again, no sooner than `after`. None: after a pause that grows with each delivery."""

    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Never: the message leaves the stream undone. `reason` is logged, so it holds no contact data."""

    reason: str


Verdict = Ack | Retry | GiveUp
Deliver = Callable[[Message], Awaitable[Verdict]]


class BusUnavailable(Exception):
    """The bus did not confirm: the message may or may not be stored. Publishing it again with its id is safe."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the bus is unavailable: {reason}")
        self.reason = reason


class Bus(Protocol):
    """Messages with at-least-once delivery. A message is a wake-up: the databases hold the truth."""

    async def publish(self, subject: str, payload: bytes, *, message_id: str) -> None:
        """Return once the message is on disk; a repeated `message_id` within the duplicate window changes nothing.

        The current trace and baggage travel along. Raises `BusUnavailable` within seconds, at once when disconnected.
        """

    async def consume(self, stream: str, consumer: str, deliver: Deliver, *, in_flight: int) -> None:
        """Give each message of the stream to `deliver`, at most `in_flight` at a time, until cancelled.

        `consumer` is the durable name: all replicas of a service use the same and share the work. A delivery may take
        as long as it needs. An exception from `deliver` is logged and counts as `Retry()`. Outlives every outage of
        the bus. Cancelling lets go of what is under way: `deliver` is cancelled and its message comes again.
        """

    async def waiting(self, stream: str, consumer: str) -> int:
        """Tell how many messages of the stream the consumer has not dealt with yet. Raises `BusUnavailable`."""

    async def check(self) -> None:
        """Raise `BusUnavailable` unless publishing could work now."""

    async def close(self) -> None:
        """Let go of the connection. What was not acknowledged comes again to the next consumer."""

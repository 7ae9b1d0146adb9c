"""The messages that one consumer has under way, from their arrival until the server knows the verdict."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

import structlog

from libs.bus.ports import Ack, Deliver, GiveUp, Message, Retry, Verdict
from libs.bus.session import NoResponders, Session, SessionLost
from libs.bus.tracing import bound, delivering

_log = structlog.get_logger("libs.bus")

_PROGRESS = b"+WPI"
_HAND_BACK_SECONDS = 2.0


@dataclass(slots=True)
class Delivery:
    """A message under way. `reply` and `session` change when it comes again while it still is under way."""

    message: Message
    headers: dict[str, str]
    sequence: int
    incarnation: str
    reply: str
    session: Session
    begun: float


class Work:
    """Deliveries under way and answers that wait. Outlives sessions: a delivery goes on while the bus is away."""

    def __init__(self, deliver: Deliver, *, heartbeat: timedelta) -> None:
        self._deliver = deliver
        self._heartbeat = heartbeat.total_seconds()
        self._under_way: dict[tuple[str, int], Delivery] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._answers: list[tuple[Delivery, bytes]] = []
        self._answered = asyncio.Event()
        self._busy = asyncio.Event()

    @property
    def under_way(self) -> int:
        """Messages whose verdict the server does not know yet."""
        return len(self._under_way)

    def begin(self, delivery: Delivery) -> None:
        """Start to deliver, unless the same message is under way already: then only where to answer is kept."""
        key = (delivery.incarnation, delivery.sequence)
        if known := self._under_way.get(key):
            known.reply, known.session = delivery.reply, delivery.session
            return
        self._under_way[key] = delivery
        self._busy.set()
        task = asyncio.get_running_loop().create_task(self._carry_out(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, delivery: Delivery) -> None:
        with bound(delivery.headers):
            form = await self._judge(delivery.message)
        self._answers.append((delivery, form))
        self._answered.set()

    async def _judge(self, message: Message) -> bytes:
        try:
            with delivering(message.subject, message.message_id):
                return _wire_form(await self._deliver(message), message)
        except Exception as failure:  # noqa: BLE001 - whatever the consumer raised, the message must come again
            log_failure(message, failure)
            return _wire_form(Retry(), message)

    async def settle(self, session: Session, incarnation: str, room_made: Callable[[], None]) -> None:
        """Send verdicts as they come, until the session is lost. A round waits for one confirmation, of its last.

        `room_made` is called each time that the server knows of more verdicts.
        """
        while True:
            await self._answered.wait()
            self._answered.clear()
            answers, self._answers = self._answers, []
            try:
                await self._send(session, [answer for answer in answers if answer[0].incarnation == incarnation])
            except BaseException:
                self._answers = answers + self._answers  # again on the next session: repeating an ack is harmless
                self._answered.set()
                raise
            for delivery, _ in answers:
                del self._under_way[delivery.incarnation, delivery.sequence]
            room_made()

    @staticmethod
    async def _send(session: Session, answers: list[tuple[Delivery, bytes]]) -> None:
        # A server that was killed may have forgotten that it delivered a message, and does not confirm its verdict: the
        # one that is waited for must be of this session. A forgotten message comes again.
        answers.sort(key=lambda answer: answer[0].session is session)
        for delivery, form in answers[:-1]:
            await session.send(delivery.reply, form)
        for delivery, form in answers[-1:]:
            if delivery.session is not session:
                await session.send(delivery.reply, form)
                return
            try:
                await session.request(delivery.reply, form)
            except (NoResponders, TimeoutError):
                _log.warning("verdicts_unconfirmed", count=len(answers))

    async def keep_alive(self, session: Session, incarnation: str) -> None:
        """Tell the server of each long delivery that it goes on, until the session is lost. No timer while idle."""
        loop = asyncio.get_running_loop()
        while True:
            await self._busy.wait()
            await asyncio.sleep(self._heartbeat)
            begun_before = loop.time() - self._heartbeat / 2
            for delivery in list(self._under_way.values()):
                if delivery.incarnation == incarnation and delivery.begun < begun_before:
                    await session.send(delivery.reply, _PROGRESS)
            if not self._under_way:
                self._busy.clear()

    async def abandon(self, session: Session | None) -> None:
        """Cancel what is under way, and hand it back at once if there is a session; else it comes after its ack_wait.

        When it returns the server knows the verdicts that were given, unless it is away or takes longer than 2 s.
        """
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if session is not None:
            with suppress(SessionLost, TimeoutError):
                async with asyncio.timeout(_HAND_BACK_SECONDS):
                    await self._send(session, self._last_words())

    def _last_words(self) -> list[tuple[Delivery, bytes]]:
        answered = {id(delivery) for delivery, _ in self._answers}
        undone = [(delivery, b"-NAK") for delivery in self._under_way.values() if id(delivery) not in answered]
        return self._answers + undone


def pause_after(delivered: int) -> timedelta:
    """Return how long to wait before a message comes again: 1 s, doubled with each delivery, at most a minute."""
    return timedelta(seconds=min(60, 2 ** min(delivered - 1, 6)))


def log_failure(message: Message, failure: BaseException) -> None:
    """Log an exception of a consumer, which counts as a retry."""
    _log.error(
        "delivery_raised",
        subject=message.subject,
        message_id=message.message_id,
        delivered=message.delivered,
        exc_info=failure,
    )


def log_give_up(message: Message, reason: str) -> None:
    """Log a message that leaves the stream undone."""
    _log.error("message_given_up", subject=message.subject, message_id=message.message_id, reason=reason)


def _wire_form(verdict: Verdict, message: Message) -> bytes:
    match verdict:
        case Ack():
            return b"+ACK"
        case Retry(after):
            pause = pause_after(message.delivered) if after is None else after
            return b"-NAK " + json.dumps({"delay": max(1, pause // timedelta(microseconds=1) * 1000)}).encode()
        case GiveUp(reason):
            log_give_up(message, reason)
            return b"+TERM " + " ".join(reason.split()).encode()
        case _:
            assert_never(verdict)

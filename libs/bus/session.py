"""One connection to a NATS server, from its opening to its loss. A lost one is never mended: the next one is opened."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog

from libs.bus.client import Client, JetStreamManager, Msg, errors
from libs.bus.streams import inbox_prefix_of

_log = structlog.get_logger("libs.bus")

_CONNECT_SECONDS = 5.0
_REQUEST_SECONDS = 5.0
_PATIENCE_SECONDS = 4.0  # less than a request may take, and longer than an election
_LEAVE_SECONDS = 2.0


class SessionLost(Exception):
    """The connection is gone. What was under way on it may or may not have reached the server."""


class NoResponders(Exception):
    """Nobody on the server listens there: the stream or the consumer is missing, or JetStream is not up yet."""


class ApiRefused(Exception):
    """JetStream answered with an error."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(f"{description} ({code})")
        self.code = code
        self.description = description


class Session:
    """Requests with their replies, subscriptions, and a signal of the end."""

    def __init__(self, inbox_prefix: str) -> None:
        self.lost = asyncio.Event()
        self._client = Client()
        self._inbox_prefix = inbox_prefix
        self._replies: dict[str, asyncio.Future[Msg]] = {}
        self._reply_inbox = ""
        self._numbers = count()
        self._failing_since: float | None = None

    @classmethod
    async def open(cls, url: str, *, name: str) -> Self:
        """Connect once, to one of the comma-separated servers of `url`. Raises `SessionLost` when none answers.

        The password is in the URL, or in the file that its `?password_file=` names, which is read at each connection.
        """
        servers, user, password, file = _taken_apart(url)
        session = cls(inbox_prefix_of(user))
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await session._connect(servers, name, user, file.read_text().strip() if file else password)
        except (OSError, TimeoutError, errors.Error) as failure:
            await session.close()
            raise SessionLost(str(failure) or type(failure).__name__) from failure
        return session

    async def _connect(self, servers: list[str], name: str, user: str, password: str) -> None:
        await self._client.connect(
            servers,
            name=name,
            user=user or None,
            password=password or None,
            inbox_prefix=self._inbox_prefix,
            allow_reconnect=False,
            max_reconnect_attempts=1,  # 0 would mean for ever
            reconnect_time_wait=0,
            connect_timeout=2,
            ping_interval=20,
            max_outstanding_pings=2,
            error_cb=_note,
            closed_cb=self._on_closed,
        )
        self._reply_inbox = self._client.new_inbox()
        await self._client.subscribe(f"{self._reply_inbox}.*", cb=self._on_reply)

    @property
    def management(self) -> JetStreamManager:
        """JetStream's interface for streams and consumers."""
        return self._client.jsm(timeout=_REQUEST_SECONDS)

    async def send(self, subject: str, payload: bytes = b"", *, reply: str = "") -> None:
        """Queue a message for the connection, in order with all others. Raises `SessionLost`."""
        try:
            await self._client.publish(subject, payload, reply=reply)
        except errors.Error as failure:
            raise SessionLost(type(failure).__name__) from failure

    async def request(self, subject: str, payload: bytes, *, headers: dict[str, str] | None = None) -> Msg:
        """Return the reply. Raises `SessionLost`, `NoResponders`, or `TimeoutError` after 5 s."""
        if self.lost.is_set():
            raise SessionLost("closed")
        token = str(next(self._numbers))
        future: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._replies[token] = future
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                await self._client.publish(subject, payload, reply=f"{self._reply_inbox}.{token}", headers=headers)
                reply = await future
        except errors.Error as failure:
            raise SessionLost(type(failure).__name__) from failure
        finally:
            del self._replies[token]
        if status_of(reply) == "503":
            raise NoResponders(subject)
        return reply

    async def store(self, subject: str, payload: bytes, *, headers: dict[str, str]) -> None:
        """Publish to a stream and return after its PubAck. Raises `ApiRefused` besides what `request` raises."""
        reply = await self.request(subject, payload, headers=headers)
        answer: dict[str, Any] = json.loads(reply.data)
        if error := answer.get("error"):
            raise ApiRefused(error.get("err_code", error["code"]), error.get("description", ""))

    @asynccontextmanager
    async def listening(self, arrive: Callable[[Msg], Awaitable[None]]) -> AsyncIterator[str]:
        """Give a new inbox; all that comes to it goes to `arrive`, one after the other."""
        inbox = self._client.new_inbox()
        try:
            subscription = await self._client.subscribe(inbox, cb=arrive)
        except errors.Error as failure:
            raise SessionLost(type(failure).__name__) from failure
        try:
            yield inbox
        finally:
            with suppress(errors.Error):
                await subscription.unsubscribe()

    @property
    def stays_silent(self) -> bool:
        """True: requests have been failing for seconds, and nothing succeeded since."""
        since = self._failing_since
        return since is not None and asyncio.get_running_loop().time() - since >= _PATIENCE_SECONDS

    def note_answer(self) -> None:
        """JetStream answered as it should."""
        self._failing_since = None

    def note_failure(self, asked_at: float) -> None:
        """JetStream did not answer what was asked at this time of the loop's clock, or that nobody is there."""
        if self._failing_since is None:
            self._failing_since = asked_at

    async def leave(self) -> None:
        """Give the server up at once, with all that waits for it; what was queued may or may not be flushed."""
        await self._on_closed()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._client.close()

    async def close(self) -> None:
        """Flush what is queued and disconnect. Does nothing on a lost session."""
        await self._client.close()
        await self._on_closed()

    async def _on_reply(self, message: Msg) -> None:
        future = self._replies.get(message.subject.rpartition(".")[2])
        if future is not None and not future.done():
            future.set_result(message)

    async def _on_closed(self) -> None:
        self.lost.set()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(SessionLost("disconnected"))


def _taken_apart(url: str) -> tuple[list[str], str, str, Path | None]:
    """Return the servers without their account, the user, the password, and the file that has it instead.

    User and password are unquoted: nats-py does not do that.
    """
    listed, _, query = url.partition("?")
    parts = [urlsplit(server.strip()) for server in listed.split(",")]
    servers = [part._replace(netloc=part.netloc.rpartition("@")[2]).geturl() for part in parts]
    file = dict(parse_qsl(query)).get("password_file")
    return servers, unquote(parts[0].username or ""), unquote(parts[0].password or ""), Path(file) if file else None


def status_of(message: Msg) -> str | None:
    """Return the status of a message that the server itself wrote, such as "408"; None for all others."""
    headers = message.headers
    return headers.get("Status") if headers and not message.reply else None


async def _note(error: Exception) -> None:
    if "permissions violation" in str(error).lower():
        _log.error("bus_permission_missing", error=str(error))
    else:
        _log.debug("bus_connection_trouble", error=type(error).__name__)

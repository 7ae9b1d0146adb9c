"""One question and its answer on a connection of aiohttp's pool, read by its parser.

Without its ClientSession: cookies, redirects, proxies, traces and a task per body are what nobody here wants, and cost
more than the question.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import aiohttp
from aiohttp import hdrs
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, RawResponseMessage
from aiohttp.streams import StreamReader
from multidict import CIMultiDict
from yarl import URL

from libs.egress.rules import CheckedResolver, EgressRules

CONNECTING_S = 5.0
_BODILESS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD, hdrs.METH_OPTIONS})
_REPEATABLE = _BODILESS | {hdrs.METH_PUT, hdrs.METH_DELETE}
_OWN = CIMultiDict({hdrs.ACCEPT: "*/*", hdrs.ACCEPT_ENCODING: "identity", hdrs.USER_AGENT: "contactsync"})
FAULTS = (aiohttp.ClientError, HttpProcessingError, TimeoutError)
"""What goes wrong on the way."""


@dataclass(frozen=True, slots=True)
class Answer:
    """As it came. `whole`: the body is all there."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool


class Exchange:
    """Questions to the addresses that the rules allow; how many at once: the caller bounds it. Needs a running loop."""

    def __init__(self, rules: EgressRules, *, keeps: bool) -> None:
        """`keeps`: a connection is used again."""
        self._keeps = keeps
        self._connector = aiohttp.TCPConnector(
            limit=0, resolver=CheckedResolver(rules), ttl_dns_cache=30, force_close=not keeps
        )
        self._loop = asyncio.get_running_loop()
        # The connector asks a request where it goes, and nothing else.
        self._way = lru_cache(maxsize=256)(self._way_to)

    async def close(self) -> None:
        """Close the connections."""
        await self._connector.close()

    async def ask(
        self, method: str, target: URL, *, headers: Mapping[str, str], body: bytes | None, seconds: float, limit: int
    ) -> Answer:
        """Ask once, and give at most `limit` bytes of the answer's body. Raises one of FAULTS.

        What may be asked again is, when a kept connection was cut just as it was used.
        """
        head = _head(method, target, headers, size=None if body is None else len(body), keeps=self._keeps)
        question = head if body is None else head + body
        until = self._loop.time() + seconds
        try:
            return await self._ask_once(method, target, question, seconds=seconds, until=until, limit=limit)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as cut:
            if method not in _REPEATABLE or isinstance(cut, aiohttp.ClientConnectorError):
                raise
        left = max(0.001, until - self._loop.time())
        return await self._ask_once(method, target, question, seconds=left, until=until, limit=limit)

    async def _ask_once(
        self, method: str, target: URL, question: bytes, *, seconds: float, until: float, limit: int
    ) -> Answer:
        connection = await self._connect(target, seconds=seconds)
        is_clean = False
        try:
            transport, protocol = connection.transport, connection.protocol
            if transport is None or protocol is None:
                raise aiohttp.ServerDisconnectedError
            protocol.set_response_params(
                skip_payload=method == hdrs.METH_HEAD, read_until_eof=True, auto_decompress=False
            )
            transport.write(question)
            late = self._loop.call_at(until, protocol.set_exception, TimeoutError())
            try:
                message, content = await _first_final(protocol)
            finally:
                late.cancel()
            body, whole = await _read(content, limit, until=until)
            is_clean = whole and not transport.get_write_buffer_size()
            return Answer(message.code, message.headers, body, whole)
        finally:
            if is_clean:
                connection.release()
            else:
                connection.close()

    async def _connect(self, target: URL, *, seconds: float) -> Connection:
        try:
            return await self._connector.connect(self._way(target), traces=[], timeout=_connecting(seconds))
        except TimeoutError as late:
            raise aiohttp.ConnectionTimeoutError from late

    def _way_to(self, target: URL) -> aiohttp.ClientRequest:
        return aiohttp.ClientRequest(hdrs.METH_GET, target, loop=self._loop)


@lru_cache(maxsize=256)
def _connecting(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=seconds, sock_connect=min(CONNECTING_S, seconds))


def _head(method: str, target: URL, headers: Mapping[str, str], *, size: int | None, keeps: bool) -> bytes:
    """Raises ValueError for a header that would be two."""
    fields = _OWN.copy()
    fields.update(headers)
    if size is not None or method not in _BODILESS:
        fields[hdrs.CONTENT_LENGTH] = str(size or 0)
    if not keeps:
        fields[hdrs.CONNECTION] = "close"
    lines = [f"{method} {target.raw_path_qs} HTTP/1.1", f"Host: {target.host_port_subcomponent}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    text = "\r\n".join((*lines, "", ""))
    ends = len(lines) + 1
    if text.count("\n") != ends or text.count("\r") != ends or "\0" in text:
        raise ValueError("a header holds a line break")
    return text.encode()


async def _first_final(protocol: ResponseHandler) -> tuple[RawResponseMessage, StreamReader]:
    while True:
        message, content = await protocol.read()
        if message.code >= 200 or message.code == 101:
            return message, content


async def _read(content: StreamReader, limit: int, *, until: float) -> tuple[bytes, bool]:
    """False: it is not all of it. Most came whole, together with the head."""
    parts: list[bytes] = []
    left = limit
    try:
        if content.is_eof():
            body = content.read_nowait()
            return body[:limit], len(body) <= limit
        async with asyncio.timeout_at(until):
            while not content.at_eof() and left > 0:
                part = await content.readany()
                parts.append(part[:left])
                left -= len(part)
    except FAULTS:
        return b"".join(parts), False
    return b"".join(parts), content.at_eof() and left >= 0

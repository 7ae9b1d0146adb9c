"""The source's server, in process."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Self, assert_never

from aiohttp import web

from tests.fakes.contact_source.behaviour import Altered, Before, Behaviour, Cut, Endless, Hang, Quirks, Slow, Status
from tests.fakes.contact_source.book import Book, Document

CLIENT_ID = "test_id"
CLIENT_SECRET = "test_secret"
_JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Asked:
    """A request for a page that came with a good token. `since`: of a delta."""

    page: int
    limit: int
    since: int | None


@dataclass
class _Script:
    of_pages: dict[int, deque[Behaviour]] = field(default_factory=lambda: defaultdict(deque))
    of_token: deque[Behaviour] = field(default_factory=deque)


class ContactSourceFake:
    """`async with ContactSourceFake(Book(…)) as fake:`, then `fake.url`, `fake.at(page, Status(500), …)`."""

    def __init__(
        self,
        book: Book | None = None,
        *,
        lifetime_s: int = 3600,
        clock: Callable[[], float] = time.time,
        port: int = 0,
        more: Sequence[web.RouteDef] = (),
    ) -> None:
        self.book = book if book is not None else Book()
        self.quirks = Quirks()
        self.asked: list[Asked] = []
        self.tokens_given = 0
        self.refused_tokens = 0
        self.written_bytes = 0
        """Of an endless page."""
        self.lifetime_s = lifetime_s
        self.go_on = asyncio.Event()
        self.hung = asyncio.Event()
        """Set while somebody waits for an answer."""
        self.url = ""
        self._clock = clock
        self._port = port
        self._more = more
        self._script = _Script()
        self._good_tokens: dict[str, float] = {}
        self._runner: web.AppRunner | None = None

    def at(self, page: int, *behaviours: Behaviour) -> None:
        """The next requests for this page meet these, one each; later ones get the page."""
        self._script.of_pages[page].extend(behaviours)

    def at_token(self, *behaviours: Behaviour) -> None:
        """The next requests for a token meet these."""
        self._script.of_token.extend(behaviours)

    def revoke_tokens(self) -> None:
        """No token that was given is good any more."""
        self._good_tokens.clear()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/token", self._token)
        application.router.add_get("/contacts", self._contacts)
        application.router.add_get("/contacts/delta", self._contacts)
        application.add_routes(self._more)
        application.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.go_on.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(self._clock(), usegmt=True)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        if self._script.of_token:
            return await self._misbehave(request, self._script.of_token.popleft(), self._give_token)
        if not hmac.compare_digest(request.headers.get("Authorization", ""), _basic(CLIENT_ID, CLIENT_SECRET)):
            return _unauthorized("Basic")
        return self._render(self._give_token())

    def _give_token(self) -> Document:
        self.tokens_given += 1
        ends_at = int(self._clock() + self.lifetime_s)
        token = secrets.token_hex(16) if self.quirks.opaque_tokens else _jwt(ends_at, number=self.tokens_given)
        self._good_tokens[token] = ends_at
        return {"token": token}

    async def _contacts(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._good_tokens.get(token, 0) <= self._clock():
            self.refused_tokens += 1
            return _unauthorized("Bearer")
        asked = _read_query(request)
        if asked is None:
            return web.Response(status=400, body=b'{"error":"limit and page must be positive numbers"}', headers=_JSON)
        self.asked.append(asked)
        script = self._script.of_pages.get(asked.page)
        if script:
            return await self._misbehave(request, script.popleft(), lambda: self._page(asked))
        if self.quirks == Quirks():
            body = self.book.rendered(since=asked.since, limit=asked.limit, page=asked.page)
            return web.Response(body=body, headers=_JSON)
        return self._render(self._page(asked))

    def _page(self, asked: Asked) -> Document:
        page = 1 if self.quirks.same_page else asked.page
        if asked.since is None:
            document = self.book.page(limit=asked.limit, page=page)
        else:
            document = self.book.delta(since=asked.since, limit=asked.limit, page=page)
        return self.quirks.shape(document)

    async def _misbehave(
        self, request: web.Request, behaviour: Behaviour, document: Callable[[], Document]
    ) -> web.StreamResponse:
        match behaviour:
            case Status(code=code, body=body, headers=headers):
                return web.Response(status=code, body=body, headers=headers)
            case Slow() | Hang():
                self.hung.set()
                await self.go_on.wait()
                return self._render(document()) if isinstance(behaviour, Slow) else web.Response(status=500)
            case Cut():
                return await _cut(request, json.dumps(document()).encode())
            case Endless():
                return await self._stream_endlessly(request)
            case Before(happens=happens):
                happens()
                return self._render(document())
            case Altered(alter=alter):
                return self._render(alter(document()))
            case unreachable:
                assert_never(unreachable)

    def _render(self, document: Document) -> web.Response:
        return web.Response(body=json.dumps(document, ensure_ascii=False).encode(), headers=_JSON)

    async def _stream_endlessly(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=_JSON)
        await response.prepare(request)
        block = b" " * 65536
        try:
            while not self.go_on.is_set():
                await response.write(block)
                self.written_bytes += len(block)
        except ConnectionError:
            pass
        return response


def _read_query(request: web.Request) -> Asked | None:
    query = request.query
    try:
        page, limit = int(query["page"]), int(query["limit"])
        since = int(query["timestamp"]) if request.path.endswith("/delta") else None
    except (KeyError, ValueError):
        return None
    return Asked(page, limit, since) if page > 0 and 0 < limit <= 1000 and (since is None or since < 10**12) else None


async def _cut(request: web.Request, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={**_JSON, "Content-Length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    assert request.transport is not None
    request.transport.abort()
    return response


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _unauthorized(scheme: str) -> web.Response:
    return web.Response(status=401, body=b'{"error":"Unauthorized"}', headers={**_JSON, "WWW-Authenticate": scheme})


def _jwt(ends_at: int, *, number: int) -> str:
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part({'exp': ends_at, 'jti': number})}"
    signature = hmac.new(b"k" * 32, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(document: Document) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

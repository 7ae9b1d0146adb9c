"""The console's web part with pages of its own, and services that are not asked."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import cast

import httpx

from libs.sealing import Seal
from services.console.peers import Operator, Services
from services.console.rendering import Renderer
from services.console.sessions import Sessions
from services.console.visit import Act, Show
from services.console.web import Site
from services.console.web.entry import Entry, NotLetIn

START = datetime(2026, 1, 15, 12, tzinfo=UTC)
KEY = "cs_right"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class TrustingEntry(Entry):
    """Lets one key in, and keeps who asked."""

    def __init__(self) -> None:
        self.asked: list[Operator] = []

    async def judge(self, operator: Operator) -> NotLetIn | None:
        self.asked.append(operator)
        return None if operator.key == KEY else NotLetIn("entry.wrong", 401)


class Web:
    """The application, a clock that the test moves, and a browser."""

    def __init__(self, pages: Sequence[Show | Act]) -> None:
        self.now = START
        self.entry = TrustingEntry()
        self.stopping = asyncio.Event()
        numbers = iter(range(1, 1_000_000))
        random: Callable[[int], bytes] = lambda size: next(numbers).to_bytes(size, "big")  # noqa: E731 - one expression
        self.sessions = Sessions(Seal(b"m" * 32, purpose="test", random=random), random=random, now=lambda: self.now)
        site = Site(
            pages,
            services=cast("Services", None),
            sessions=self.sessions,
            entry=self.entry,
            renderer=Renderer(jaeger_url=""),
            gateways=[ip_network("127.0.0.0/8")],
            now=lambda: self.now,
            stopping=self.stopping,
        )
        transport = httpx.ASGITransport(site.application(), raise_app_exceptions=False)
        self.browser = httpx.AsyncClient(transport=transport, base_url="http://hub.example")

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def sign_in(self, **headers: str) -> httpx.Response:
        return await self.browser.post("/console/login", data={"key": KEY}, headers=headers)

    async def csrf(self) -> str:
        """The token of the session, read from the page as a browser would send it."""
        return field(await self.browser.get("/console/fault"), "csrf")

    def post(self, path: str, **form: str) -> Awaitable[httpx.Response]:
        return self.browser.post(path, data=form)


def field(page: httpx.Response, name: str) -> str:
    """The value of the page's first hidden field of this name."""
    return page.text.partition(f'name="{name}" value="')[2].partition('"')[0]

"""A custom contact source that costs next to nothing: its pages are written before anybody asks."""

import base64
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

CLIENT_ID, CLIENT_SECRET = "test_id", "test_secret"
_LIFETIME_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Source:
    """Where it is, and how many contacts it has."""

    url: str
    contacts: int
    page_size: int


@asynccontextmanager
async def running_source(contacts: int, page_size: int) -> AsyncIterator[Source]:
    """A source on a free port of loopback. It serves pages of this size alone, and nothing changes in it."""
    pages = _pages(contacts, page_size)

    async def give_page(request: web.Request) -> web.Response:
        number = int(request.query["page"])
        if int(request.query["limit"]) != page_size or not 1 <= number <= len(pages):
            raise web.HTTPBadRequest
        return web.Response(body=pages[number - 1], content_type="application/json")

    application = web.Application()
    application.add_routes([web.get("/token", _give_token), web.get("/contacts", give_page)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield Source(f"http://{host}:{port}", contacts, page_size)
    finally:
        await runner.cleanup()


async def _give_token(_: web.Request) -> web.Response:
    claims = json.dumps({"exp": int(time.time()) + _LIFETIME_SECONDS}).encode()
    return web.json_response({"token": f"e30.{base64.urlsafe_b64encode(claims).rstrip(b'=').decode()}.e30"})


def _pages(contacts: int, page_size: int) -> Sequence[bytes]:
    ends = range(page_size, contacts + page_size, page_size)
    return [_page(range(end - page_size, min(end, contacts)), more=end < contacts) for end in ends]


def _page(numbers: range, *, more: bool) -> bytes:
    return json.dumps({"contacts": list(map(_contact, numbers)), "has_more": more}, ensure_ascii=False).encode()


def _contact(number: int) -> dict[str, object]:
    phones = [{"number": f"+791{number:08d}", "label": "mobile"}]
    if number % 3 == 0:
        phones.append({"number": f"8 (495) {number // 10000 + 100}-{number % 10000:04d}", "label": "work"})
    return {
        "id": str(number),
        "first_name": "Виктор",
        "last_name": f"Иванов-{number}",
        "company": f"ООО «Ромашка {number % 100}»",
        "type": "lead" if number % 2 else "customer",
        "phones": phones,
        "emails": [{"email": f"victor.{number}@example.org", "label": "business"}],
    }

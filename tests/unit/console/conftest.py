"""Pages of no service, which a browser meets as it would meet the console's own."""

from collections.abc import AsyncIterator

import grpc
import pytest

from libs.rpc import PeerRefused, PeerUnavailable
from services.console.visit import Act, GoTo, NotThere, Show, View, Visit
from tests.unit.console.web import Web

HOSTILE = "<script>alert(1)</script>"
FAULTS = {
    "gone": NotThere(),
    "refused": PeerRefused("STATE_CONFLICT", f"Not now {HOSTILE}"),
    "forbidden": PeerRefused("FORBIDDEN", "no"),
    "ended": PeerRefused("UNAUTHORIZED", "no"),
    "away": PeerUnavailable("x/Y", grpc.StatusCode.UNAVAILABLE),
    "broken": ValueError("+79001234567"),
}
DONE: list[str] = []


async def show_told(visit: Visit) -> View:
    return View("fault.html", {"told": visit.query.get("told", ""), "violations": []})


async def fail(visit: Visit) -> View:
    raise FAULTS[visit.path["how"]]


async def mend(visit: Visit) -> GoTo:
    DONE.append(visit.form["what"])
    return GoTo("/fault", done="done.rows_retried", count=3)


@pytest.fixture
async def web() -> AsyncIterator[Web]:
    DONE.clear()
    made = Web([Show("", show_told), Show("/fault", show_told), Show("/fails/{how}", fail), Act("/mend", mend)])
    yield made
    await made.browser.aclose()

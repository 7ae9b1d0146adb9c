"""Several times as much as the hub can take at once: what it cannot take it refuses at once, and the rest is done."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import pytest

from libs.cli.bench.measure import ProcessTree
from tests.faults.desk import Desk, desk, print_figures
from tests.fixtures.ledger import Ledger, Request, make_requests

pytestmark = pytest.mark.xdist_group("hub")

ROWS, REQUESTS = 100, 400
AT_ONCE_BYTES = 200_000
"""Some thirty of the requests."""
TIMEOUT_SECONDS = 120
GROWN_MB = 96
"""Of all processes together: bodies, rows, and pages of databases that a hub just started has not seen."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a request was answered. ``retry_after`` is 0 where the answer names none."""

    request: Request
    status: int
    retry_after: int
    body: bytes


async def flood(place: Desk, requests: Sequence[Request]) -> list[Told]:
    """All at once, each on a connection of its own. Raises for one that is not answered in time."""
    headers = {"Authorization": f"Bearer {place.api_key}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(place.hub.url, headers=headers, timeout=timeout, connector=connector) as session:
        return await asyncio.gather(*(send(session, request) for request in requests))


async def send(session: aiohttp.ClientSession, request: Request) -> Told:
    headers = {"Idempotency-Key": request.key}
    async with session.post("/v1/contacts/import", data=request.body, headers=headers) as answer:
        return Told(request, answer.status, int(answer.headers.get("Retry-After", 0)), await answer.read())


def test_what_cannot_be_taken_is_refused_at_once_and_what_was_taken_is_done_once(tmp_path: Path) -> None:
    ledger = Ledger()
    warm, *flooding = make_requests("flood", count=1 + REQUESTS, rows=ROWS)
    with desk(tmp_path, settings={"CONTACTSYNC_BYTES_AT_ONCE": str(AT_ONCE_BYTES)}) as place:
        ledger.send(place.api, warm)
        tree = ProcessTree(place.hub.supervisor.pid)
        before = tree.shared_memory_mb()

        told = asyncio.run(flood(place, flooding))

        grown = tree.shared_memory_mb() - before
        for each in told:
            if each.status == 202:
                ledger.requests[each.request.key], ledger.answers[each.request.key] = each.request, each.body
        drained = place.drain(ledger)
        accepted = ledger.audit(place.api)
        for each in told:
            ledger.send(place.api, each.request)
        place.drain(ledger)
        audit = ledger.audit(place.api)

    statuses = Counter(each.status for each in told)
    answered = {f"answered {status}": count for status, count in statuses.items()}
    print_figures("a flood", {**answered, "grown MB": grown, "drained after": drained, **asdict(audit)})
    assert statuses.keys() <= {202, 429, 503}
    assert statuses[202]
    assert statuses[503]
    assert all(each.retry_after for each in told if each.status != 202)
    assert grown <= GROWN_MB
    assert accepted.clean, accepted
    assert audit.clean, audit
    assert audit.delivered == sum(len(request.phones) for request in (warm, *flooding))

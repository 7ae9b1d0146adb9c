"""A hub with jobs in every state that there is, which is to be found again elsewhere, and to go on."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

from anyio.from_thread import start_blocking_portal

from libs.cli.api import Api
from tests.fakes.webhook import Cut, Status, WebhookFake
from tests.faults.desk import Desk, make_partner, patient
from tests.fixtures.ledger import Ledger, make_requests, pages
from tests.fixtures.waiting import wait_for

ROWS = 100
EGRESS = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8", "CONTACTSYNC_OVERDUE_AFTER": "PT5S"}
NOT_IDEMPOTENT = ("cutting", "away")
CREATED, FAILED, UNKNOWN, PENDING = (f"ROW_STATE_{name}" for name in ("CREATED", "FAILED", "UNKNOWN", "PENDING"))


@dataclass
class Receivers:
    """Webhooks as they were found by one hub; what they took is remembered whatever becomes of it."""

    taking: WebhookFake
    refusing: WebhookFake
    cutting: WebhookFake
    away: WebhookFake
    paused: WebhookFake
    ids: dict[str, str]

    def twice(self) -> int:
        """Deliveries that took effect more than once."""
        fakes = (self.taking, self.cutting, self.away, self.paused)
        return sum(count > 1 for fake in fakes for count in fake.effects.values())


@contextmanager
def receivers() -> Iterator[Receivers]:
    """In a thread of their own."""
    with ExitStack() as stack:
        portal = stack.enter_context(start_blocking_portal())
        fakes = {
            name: stack.enter_context(
                portal.wrap_async_context_manager(WebhookFake(idempotent=name not in NOT_IDEMPOTENT))
            )
            for name in ("taking", "refusing", "cutting", "away", "paused")
        }
        found = Receivers(**fakes, ids={})
        found.refusing.default, found.cutting.default, found.away.default = Status(422), Cut(), Status(503)
        yield found


def bring_into_every_state(place: Desk, found: Receivers) -> Ledger:
    """A job of another client for each receiver, and some for the contact book, whose requests are given.

    Returns when each is as far as it gets.
    """
    ledger = Ledger()
    for request in make_requests("book", count=3, rows=ROWS):
        ledger.send(place.api, request)
    for number, name in enumerate(("taking", "refusing", "cutting", "away", "paused"), 1):
        found.ids[name] = _add(place, getattr(found, name), idempotent=name not in NOT_IDEMPOTENT)
        key = make_partner(place.hub.url, place.hub.plan.folder.root, destination_ids=[found.ids[name]])
        if name == "paused":
            place.api.call("POST", f"/admin/v1/destinations/{found.ids[name]}/pause", body={})
        with closing(patient(place.hub.url, key)) as api:
            [request] = make_requests(name, count=1, rows=ROWS, first=number * 1000)
            Ledger().send(api, request)
    wait_for(lambda: unfinished(place.api) == 2, what="that all are as far as they get")
    wait_for(lambda: bool(found.away.arrivals), what="a first try of the one that is away")
    return ledger


def _add(place: Desk, fake: WebhookFake, *, idempotent: bool) -> str:
    retry = {"first_delay": "1s", "max_delay": "2s", "max_attempts": 100, "timeout": "5s"}
    body = {"kind": "DESTINATION_KIND_WEBHOOK", "url": fake.url, "retry": retry, "idempotent": idempotent}
    made: str = place.api.call("POST", "/admin/v1/destinations", body=body)["destination"]["id"]
    return made


def states(api: Api) -> dict[str, dict[str, dict[str, int]]]:
    """Of every job, by destination, how many rows are in a state."""
    return {
        job["job_id"]: {
            each["destination_id"]: {count["state"]: count["count"] for count in each["counts"]}
            for each in api.call("GET", f"/admin/v1/jobs/{job['job_id']}")["job"]["destinations"]
        }
        for job in pages(api, "/admin/v1/jobs", "jobs")
    }


def unfinished(api: Api) -> int:
    """Jobs with rows that wait."""
    return sum(any(PENDING in counts for counts in job.values()) for job in states(api).values())


def settle(place: Desk, found: Receivers) -> None:
    """What hindered the others is mended; returns when every job is at its end."""
    found.away.default = Status(200)
    for name in ("paused", "away"):
        place.api.call("POST", f"/admin/v1/destinations/{found.ids[name]}/resume", body={})
    wait_for(lambda: not unfinished(place.api), what="the end of every job")


def ended(place: Desk, found: Receivers) -> dict[str, Counter[str]]:
    """By receiver, or ``directory``, how many rows ended in a state; without those that were rejected."""
    names = {made: name for name, made in found.ids.items()} | {"directory": "directory"}
    counted: dict[str, Counter[str]] = {name: Counter() for name in names.values()}
    for destinations in states(place.api).values():
        for destination, counts in destinations.items():
            counted[names[destination]].update(
                {state: count for state, count in counts.items() if state != "ROW_STATE_REJECTED"}
            )
    return counted


def book_of(api: Api) -> Counter[Any]:
    """How often each phone is in the contact book."""
    return Counter(each["contact"]["phone"] for each in pages(api, "/admin/v1/contacts", "contacts"))


EXPECTED = {
    "directory": {CREATED: 3 * (ROWS - 1)},
    "taking": {CREATED: ROWS - 1},
    "refusing": {FAILED: ROWS - 1},
    "cutting": {UNKNOWN: ROWS - 1},
    "away": {CREATED: ROWS - 1},
    "paused": {CREATED: ROWS - 1},
}
"""How all of it ends."""

"""delivery is killed while it replays dead letters: every row is sent again, none twice in effect, and the job ends."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from libs.cli.api import Api
from tests.fakes.webhook import Status, WebhookFake
from tests.faults.desk import Desk, desk, make_partner, patient, print_figures
from tests.fixtures.ledger import Ledger, make_requests
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

JOBS, ROWS = 60, 20
EGRESS = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8"}


@contextmanager
def webhook(place: Desk) -> Iterator[tuple[WebhookFake, str]]:
    """A receiver in a thread of its own and the destination that leads to it."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(WebhookFake()) as fake:
        retry = {"first_delay": "0.2s", "max_delay": "1s", "max_attempts": 20, "timeout": "5s"}
        body = {"kind": "DESTINATION_KIND_WEBHOOK", "url": fake.url, "retry": retry, "concurrency": 4}
        made = place.api.call("POST", "/admin/v1/destinations", body=body)
        yield fake, made["destination"]["id"]


def ids_by_phone(fake: WebhookFake, *, since: int) -> Counter[str]:
    """To how many different deliveries each phone belonged that the receiver took."""
    taken: dict[str, set[str]] = {}
    for arrival in fake.arrivals[since:]:
        for contact in json.loads(arrival.body)["contacts"]:
            taken.setdefault(contact["phone"], set()).add(arrival.webhook_id)
    return Counter({phone: len(ids) for phone, ids in taken.items()})


def replay_under_kills(place: Desk, api: Api, destination_id: str, *, kills: int) -> dict[str, Any]:
    """The replay as it ended."""
    at = f"/admin/v1/destinations/{destination_id}/replays"
    replay: dict[str, Any] = api.call("POST", at, body={})["replay"]

    def progress() -> dict[str, Any]:
        found: dict[str, Any] = api.call("GET", f"{at}/{replay['id']}")["replay"]
        return found

    for number in range(kills):
        goal = replay["total"] * (number + 1) // (kills + 1)
        wait_for(lambda goal=goal: progress()["done"] >= goal, what="some of the replay")  # type: ignore[misc]  # bound
        killed = place.kill_all("delivery")
        place.await_all(killed)
    wait_for(lambda: progress()["state"] == "completed", what="the end of the replay")
    return progress()


def counted(jobs: list[dict[str, Any]]) -> Counter[str]:
    """How many rows are in a state, over all jobs."""
    states = Counter[str]()
    for job in jobs:
        for destination in job["destinations"]:
            for each in destination["counts"]:
                states[each["state"]] += each["count"]
    return states


def run_kills(data: Path, *, kills: int) -> None:
    ledger, requests = Ledger(), make_requests("replay", count=JOBS, rows=ROWS)
    with desk(data, settings=EGRESS) as owner, webhook(owner) as (fake, destination_id):
        key = make_partner(owner.hub.url, data, destination_ids=[destination_id])
        with closing(patient(owner.hub.url, key)) as api:
            owner.api.call("POST", f"/admin/v1/destinations/{destination_id}/pause", body={})
            for request in requests:
                ledger.send(api, request)
            fake.default = Status(409)
            owner.api.call("POST", f"/admin/v1/destinations/{destination_id}/resume", body={})
            Desk(owner.hub, api, key).drain(ledger)
            refused, fake.default = len(fake.arrivals), Status(200)
            # Slowly, so that a kill finds it under way.
            owner.api.call("PATCH", f"/admin/v1/destinations/{destination_id}", body={"rate": 15})

            replay = replay_under_kills(Desk(owner.hub, api, key), api, destination_id, kills=kills)

            drained = Desk(owner.hub, api, key).drain(ledger)
            jobs = [api.call("GET", f"/admin/v1/jobs/{job}")["job"] for job in ledger.job_ids]
        phones = set().union(*(request.phones for request in requests))
        states = counted(jobs)
        belonging = ids_by_phone(fake, since=refused)
        figures = {"kills": kills, "rows": len(phones), "states": dict(states), "drained after": drained}
        print_figures("delivery killed while it replays", figures | {"replay": replay["done"]})
        assert (replay["done"], replay["failed"], replay["skipped"]) == (len(phones), 0, 0)
        assert states == {"ROW_STATE_CREATED": len(phones)}
        assert belonging == dict.fromkeys(phones, 1)
        assert set(fake.effects.values()) == {1}


def test_a_replay_is_brought_to_its_end_under_kills_of_delivery(tmp_path: Path) -> None:
    run_kills(tmp_path, kills=2)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_replay_is_brought_to_its_end_under_many_kills_of_delivery(tmp_path: Path) -> None:
    run_kills(tmp_path, kills=15)

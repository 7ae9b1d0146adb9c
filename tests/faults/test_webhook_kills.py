"""delivery is killed while it sends to webhooks: one that takes a delivery id twice as once, and one that does not."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from libs.cli.api import Api, segment
from tests.fakes.webhook import Slow, WebhookFake
from tests.faults.desk import Desk, desk, make_partner, patient, print_figures
from tests.fixtures.ledger import Ledger, Request, make_requests
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 50
REQUESTS_PER_KILL = 8
CAUGHT = 4
"""Sends that a kill finds on their way."""
CREATED, UNKNOWN = "ROW_STATE_CREATED", "ROW_STATE_UNKNOWN"
EGRESS = {"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8"}


@dataclass(frozen=True, slots=True)
class Receiver:
    """A webhook that runs in a thread of its own, and the destination that leads to it."""

    fake: WebhookFake
    portal: BlockingPortal
    destination_id: str

    def hold(self) -> None:
        """The next few requests are taken and not answered before ``go_on``."""
        self.portal.call(self.fake.go_on.clear)
        self.portal.call(self.fake.next.extend, [Slow()] * CAUGHT)

    def go_on(self) -> None:
        """Takes what is held, and answers at once from now on."""
        self.portal.call(self.fake.next.clear)
        self.portal.call(self.fake.go_on.set)

    def phones(self) -> set[str]:
        """Everyone of whom it was told."""
        bodies = [json.loads(arrival.body) for arrival in self.fake.arrivals]
        return {contact["phone"] for body in bodies for contact in body["contacts"]}

    def outcomes(self, api: Api, ledger: Ledger) -> Counter[tuple[str, int]]:
        """How often a job's rows are in a state while the receiver took its delivery so many times."""
        return Counter(
            (self._state(api, job), self.fake.effects[f"{job}.0.{self.destination_id}"]) for job in ledger.job_ids
        )

    def _state(self, api: Api, job_id: str) -> str:
        """The one state that all rows of the job are in here."""
        destinations = api.call("GET", f"/admin/v1/jobs/{segment(job_id)}")["job"]["destinations"]
        (ours,) = [each for each in destinations if each["destination_id"] == self.destination_id]
        ((state, count),) = [(each["state"], each["count"]) for each in ours["counts"]]
        assert count == ROWS
        return str(state)


@contextmanager
def receiver(place: Desk, *, idempotent: bool) -> Iterator[Receiver]:
    """A webhook as a destination of contacts; tries of it are short, and so are the pauses between them."""
    retry = {"first_delay": "1s", "max_delay": "2s", "max_attempts": 20, "timeout": "5s"}
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(WebhookFake(idempotent=idempotent)) as fake,
    ):
        body = {"kind": "DESTINATION_KIND_WEBHOOK", "url": fake.url, "retry": retry, "idempotent": idempotent}
        made = place.api.call("POST", "/admin/v1/destinations", body=body)
        yield Receiver(fake, portal, made["destination"]["id"])


def kill_while_sending(place: Desk, receivers: list[Receiver], ledger: Ledger, requests: list[Request]) -> None:
    """Kills delivery while receivers hold requests that they will take, and whose answers nobody will hear."""
    expected = [len(each.fake.arrivals) + CAUGHT for each in receivers]
    for each in receivers:
        each.hold()
    for request in requests:
        ledger.send(place.api, request)
    wait_for(
        lambda: all(len(each.fake.arrivals) >= count for each, count in zip(receivers, expected, strict=True)),
        what="that delivery sends",
    )
    killed = place.kill_all("delivery")
    for each in receivers:
        each.go_on()
    place.await_all(killed)


def run_kills(data: Path, *, kills: int) -> None:
    """Kills delivery several times, and compares what receivers took with what the hub says of it."""
    ledger = Ledger()
    requests = make_requests("webhook", count=kills * REQUESTS_PER_KILL, rows=ROWS)
    with (
        desk(data, settings=EGRESS) as owner,
        receiver(owner, idempotent=True) as once,
        receiver(owner, idempotent=False) as other,
    ):
        key = make_partner(owner.hub.url, data, destination_ids=[once.destination_id, other.destination_id])
        with closing(patient(owner.hub.url, key)) as api:
            place = Desk(owner.hub, api, key)
            for number in range(kills):
                batch = requests[number * REQUESTS_PER_KILL :][:REQUESTS_PER_KILL]
                kill_while_sending(place, [once, other], ledger, batch)
            drained = place.drain(ledger)
            outcomes = {each.destination_id: each.outcomes(api, ledger) for each in (once, other)}
        figures = {
            "kills": kills,
            "chunks for each webhook": len(requests),
            "requests to the idempotent one": len(once.fake.arrivals),
            "  (rows' state, times taken)": dict(outcomes[once.destination_id]),
            "requests to the other one": len(other.fake.arrivals),
            "  (rows' state, times taken) ": dict(outcomes[other.destination_id]),
            "drained after": drained,
        }
        print_figures("delivery killed while it sends to webhooks", figures)
        assert outcomes[once.destination_id] == {(CREATED, 1): len(requests)}
        assert once.phones() == set().union(*(request.phones for request in requests))
        # Never twice; and where the hub cannot know whether it was once, it says so.
        assert outcomes[other.destination_id].keys() <= {(CREATED, 1), (UNKNOWN, 0), (UNKNOWN, 1)}
        assert outcomes[other.destination_id][UNKNOWN, 1] >= CAUGHT


def test_webhooks_take_everything_once_under_kills_of_delivery(tmp_path: Path) -> None:
    run_kills(tmp_path, kills=2)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_webhooks_take_everything_once_under_fifty_kills_of_delivery(tmp_path: Path) -> None:
    run_kills(tmp_path, kills=50)

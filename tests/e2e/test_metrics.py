"""The numbers of a running hub tell what became of imports, also after a restart."""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.cli.stack.hub import Hub
from libs.cli.stack.plan import service_of
from tests.e2e.test_cli import run
from tests.e2e.test_import_path import mobile
from tests.fakes.picky import PickyReceiver, picky_receiver
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.promql import asked
from tests.fixtures.waiting import look

ROWS = "contactsync_import_rows_total"
DELIVERED = "contactsync_delivery_rows_total"
BEGINS = "contactsync_idempotency_begins_total"
REFUSALS = "contactsync_refusals_total"


class Numbers:
    """What the processes of services count now, all replicas together."""

    def __init__(self, hub: Hub, *services: str) -> None:
        names = [instance.name for instance in hub.plan.instances() if instance.service in services]
        self._samples = [sample for name in names for sample in _samples(hub.plan.metrics_urls()[name])]

    def by(self, name: str, label: str, **matching: str) -> Counter[str]:
        """The values of a metric by one of its labels, where others are as given."""
        counted: Counter[str] = Counter()
        for sample in self._samples:
            if sample.name == name and matching.items() <= sample.labels.items():
                counted[sample.labels[label]] += int(sample.value)
        return counted

    def only(self, name: str, **matching: str) -> float:
        """The value of a metric with these labels; the greatest, where replicas tell several."""
        return max(
            float(each.value) for each in self._samples if each.name == name and matching.items() <= each.labels.items()
        )


def _samples(url: str) -> list[Any]:
    text = httpx.get(url, timeout=10, trust_env=False).text
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


@pytest.fixture
def receiver() -> Iterator[PickyReceiver]:
    with picky_receiver() as running:
        yield running


@pytest.fixture
def hook(receiver: PickyReceiver, data: Path) -> str:
    """A webhook at the receiver."""
    return str(run("destinations", "create", "--kind", "webhook", "--url", receiver.url, data=data)["id"])


@pytest.fixture
def sender(hub: Hub, admin: httpx.Client, hook: str) -> Iterator[Partner]:
    """A client whose contacts go there."""
    with create_client(hub, admin, rate=1000, destination_ids=[hook]) as client:
        yield client


def test_rows_that_are_counted_add_up_with_the_states_of_the_job(
    hub: Hub, receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phones = [mobile() for _ in range(5)]
    receiver.poison = {phones[2]}
    rows = [{"phone": phone} for phone in [*phones, "12", "+999999999999", "+7900"]]
    before = Numbers(hub, "ingestion")

    job = sender.finished(sender.post(rows).json()["job_id"])

    after = Numbers(hub, "ingestion", "delivery")
    states = run("jobs", "show", job["job_id"], data=data)["states"]
    fates = after.by(ROWS, "contactsync_row_fate") - before.by(ROWS, "contactsync_row_fate")
    codes = after.by(ROWS, "contactsync_reject_code") - before.by(ROWS, "contactsync_reject_code")
    delivered = after.by(DELIVERED, "contactsync_row_state", contactsync_destination_id=hook)
    assert (
        fates
        == {"accepted": job["valid_contacts"], "rejected": job["invalid_contacts"]}
        == {"accepted": 5, "rejected": 3}
    )
    assert codes == Counter({"": 5}) + Counter(_codes(data, job["job_id"]))
    assert delivered + Counter(rejected=3) == Counter(states)
    assert delivered == {"created": 4, "failed": 1}


def _codes(data: Path, job_id: str) -> Mapping[str, int]:
    rows = run("jobs", "rows", job_id, "--state", "rejected", data=data)["rows"]
    return Counter(row["code"] for row in rows)


def test_a_repeated_request_is_counted_as_a_replay_and_its_rows_once(hub: Hub, partner: Partner) -> None:
    before = Numbers(hub, "ingestion", "idempotency")
    body = [{"phone": mobile()}]

    job, *_ = [partner.post(body, key="the-same-key-3000").json() for _ in range(3)]
    partner.post([{"phone": mobile()}], key="the-same-key-3000")
    partner.finished(job["job_id"])

    after = Numbers(hub, "ingestion", "idempotency")
    begins = after.by(BEGINS, "contactsync_outcome") - before.by(BEGINS, "contactsync_outcome")
    fates = after.by(ROWS, "contactsync_row_fate") - before.by(ROWS, "contactsync_row_fate")
    refusals = after.by(REFUSALS, "contactsync_reason") - before.by(REFUSALS, "contactsync_reason")
    assert begins == {"started": 1, "replay": 2, "conflict": 1}
    assert fates == {"accepted": 1}
    assert refusals == {"IDEMPOTENCY_CONFLICT": 1}


def test_what_is_read_from_the_database_is_the_same_after_a_restart(
    hub: Hub, hook: str, sender: Partner, data: Path
) -> None:
    run("destinations", "pause", hook, data=data)
    sender.post([{"phone": mobile()}])
    waiting = look(lambda: _waiting(hub, hook), what="the delivery that waits")

    for name, info in hub.supervisor.processes().items():
        if service_of(name) == "delivery":
            os.kill(info["pid"], signal.SIGKILL)
    restarted = look(lambda: _restarted(hub, waiting), what="delivery's return")

    assert (_backlog(waiting, hook), _backlog(restarted, hook)) == (1, 1)
    assert restarted.only("contactsync_destination_paused", contactsync_destination_id=hook) == 1
    assert restarted.by("contactsync_destination_paused", "contactsync_paused_by")["operator"] >= 1
    run("destinations", "resume", hook, data=data)
    assert look(lambda: _delivered(hub, hook), what="the delivery")


def _backlog(numbers: Numbers, hook: str) -> float:
    return numbers.only("contactsync_delivery_backlog", contactsync_destination_id=hook)


def _waiting(hub: Hub, hook: str) -> Numbers | None:
    numbers = Numbers(hub, "delivery")
    return numbers if _backlog(numbers, hook) else None


def _restarted(hub: Hub, before: Numbers) -> Numbers | None:
    try:
        numbers = Numbers(hub, "delivery")
        is_younger = numbers.only("process_uptime_seconds") < before.only("process_uptime_seconds")
    except httpx.TransportError:
        return None
    return numbers if is_younger else None


def _delivered(hub: Hub, hook: str) -> bool | None:
    numbers = Numbers(hub, "delivery")
    counted = numbers.by(DELIVERED, "contactsync_row_state", contactsync_destination_id=hook)
    return (counted["created"] == 1 and _backlog(numbers, hook) == 0) or None


def test_every_number_of_the_dashboards_and_alerts_is_told_by_a_running_process(hub: Hub) -> None:
    told = set()
    for url in hub.plan.metrics_urls().values():
        text = httpx.get(url, timeout=10, trust_env=False).text
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:4]
                told |= {f"{name}_bucket", f"{name}_count", f"{name}_sum"} if kind == "histogram" else {name}

    of_sqlite = {each.name for each in asked() if each.name.startswith("contactsync_storage_")} - told
    assert {each.name for each in asked()} - told - of_sqlite == {"up"}
    assert not of_sqlite or hub.plan.shape.postgres


def test_the_operator_sees_all_numbers_on_one_page(hub: Hub, data: Path) -> None:
    numbers = run("metrics", "process_", data=data)

    assert {each["process"] for each in numbers} == {instance.name for instance in hub.plan.instances()}
    assert {each["name"] for each in numbers} >= {"process_uptime_seconds", "process_cpu_time_seconds_total"}

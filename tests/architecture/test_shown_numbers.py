"""Dashboards and alerts ask for numbers that there are, by labels that these have."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from libs.bus.numbers import BusNumbers
from libs.cli.stack.plan import SERVICES
from libs.egress import Outlet
from libs.measures import Counter, Histogram, Instrument, Measures
from libs.rpc.numbers import ServerNumbers
from libs.storage.numbers import FileNumbers, WritingNumbers
from libs.telemetry import Telemetry
from libs.telemetry.metrics.process import ProcessFacts
from libs.telemetry.metrics.prometheus import family_of, shown
from services.delivery.counting import CountedLedger, DestinationNumbers
from services.directory.counting import IntakeNumbers
from services.idempotency.counting import CountedKeys
from services.ingestion.counting import CountedJobs, OutboxNumbers
from services.source_polling.counting import CountedLedger as CountedRuns
from services.source_polling.counting import SourceNumbers
from tests.fixtures.promql import alerts, asked, dashboards, questions

NOTHING: Any = None
"""Stands for what is counted: here only the names matter."""

README = (Path(__file__).resolve().parents[2] / "README.md").read_text()
RUNBOOK = {line.removeprefix("#### ").lower() for line in README.splitlines() if line.startswith("#### ")}
"""What the README has a part for, as its anchors are called."""
GIVEN_BY_PROMETHEUS = {"job", "instance", "service"}
OF_OTHERS: Mapping[str, set[str]] = {
    "up": set(),
    # Envoy's, which tests/e2e/test_metrics.py finds at a running one.
    "envoy_http_downstream_rq_xx": {"envoy_http_conn_manager_prefix", "envoy_response_code_class"},
    "envoy_http_downstream_rq_completed": {"envoy_http_conn_manager_prefix"},
    "envoy_http_downstream_rq_time_bucket": {"envoy_http_conn_manager_prefix", "le"},
}


def every_measure() -> Iterator[Measures]:
    yield Telemetry(None).measures
    yield ServerNumbers().measures
    yield WritingNumbers("sqlite").measures
    yield FileNumbers(Path("any.db")).measures
    yield BusNumbers().measures
    yield ProcessFacts().measures
    yield Outlet(NOTHING, unshared=NOTHING, rules=NOTHING).measures
    yield CountedJobs(NOTHING).measures
    yield OutboxNumbers(NOTHING, clock=NOTHING).measures
    yield CountedKeys(NOTHING).measures
    yield IntakeNumbers(NOTHING, clock=NOTHING).measures
    yield CountedLedger(NOTHING).measures
    yield DestinationNumbers(NOTHING).measures
    yield CountedRuns(NOTHING, clock=NOTHING).measures
    yield SourceNumbers(NOTHING, NOTHING, clock=NOTHING).measures


def names_of(instrument: Instrument) -> Iterator[tuple[str, set[str]]]:
    name, labels = family_of(instrument.about), {shown(label) for label in instrument.about.labels}
    if isinstance(instrument, Histogram):
        yield f"{name}_bucket", labels | {"le"}
        yield f"{name}_count", labels
        yield f"{name}_sum", labels
    else:
        yield (f"{name}_total" if isinstance(instrument, Counter) else name), labels


def known_numbers() -> dict[str, set[str]]:
    ours = {
        name: labels
        for measures in every_measure()
        for instrument in measures.instruments
        for name, labels in names_of(instrument)
    }
    return {**ours, **OF_OTHERS}


def test_every_number_that_is_asked_for_exists() -> None:
    known = known_numbers()

    unknown = {(each.where, each.name) for each in asked() if each.name not in known}

    assert unknown == set()


def test_every_label_that_is_looked_at_is_one_of_its_number() -> None:
    known = known_numbers()

    unknown = {
        (each.where, each.name, label)
        for each in asked()
        for label in each.labels - known[each.name] - GIVEN_BY_PROMETHEUS
    }

    assert unknown == set()


def test_every_number_of_ours_is_shown_or_watched() -> None:
    instruments = [instrument for measures in every_measure() for instrument in measures.instruments]
    seen = {each.name for each in asked()}

    unseen = {each.about.name for each in instruments if not seen & {name for name, _ in names_of(each)}}

    assert unseen == set()


def test_no_label_can_hold_a_contact_a_job_or_a_request() -> None:
    labels = {
        label
        for measures in every_measure()
        for instrument in measures.instruments
        for label in instrument.about.labels
    }

    ids = {label for label in labels if label.endswith(".id")}

    assert ids == {"contactsync.destination.id", "contactsync.source.id"}
    assert not {label for label in labels if any(word in label for word in ("phone", "contact.", "job", "correlation"))}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_what_it_is_and_where_to_read_on(rule: Mapping[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["annotations"]["runbook_url"].removeprefix("README.md#") in RUNBOOK


@pytest.mark.parametrize("service", [*SERVICES, "gateway"])
def test_somebody_is_woken_when_a_service_is_gone(service: str) -> None:
    [rule] = [rule for rule in alerts() if rule["alert"] == "ContactsyncServiceGone"]

    assert f'absent(up{{service="{service}"}} == 1)' in rule["expr"]


def test_alerts_and_panels_have_names_of_their_own() -> None:
    names = [rule["alert"] for rule in alerts()]
    panels = [panel["id"] for dashboard in dashboards() for panel in dashboard["panels"]]

    assert len(names) == len(set(names))
    assert len(panels) == len(set(panels))


def test_there_is_something_to_ask() -> None:
    assert len(list(questions())) > 50


def test_the_runbook_has_no_part_for_an_alert_that_there_is_not() -> None:
    assert {rule["annotations"]["runbook_url"].removeprefix("README.md#") for rule in alerts()} == RUNBOOK

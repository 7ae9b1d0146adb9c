"""What a destination does not take, from the row that it refused to the row that it took in the end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.e2e.test_cli import run
from tests.e2e.test_destinations import refusal
from tests.e2e.test_import_path import mobile
from tests.fakes.picky import PickyReceiver, picky_receiver
from tests.fixtures.partner import Partner, create_client
from tests.fixtures.waiting import look


@pytest.fixture
def receiver() -> Iterator[PickyReceiver]:
    with picky_receiver() as running:
        yield running


@pytest.fixture
def hook(receiver: PickyReceiver, data: Path) -> str:
    """A webhook at the receiver, tried twice in quick succession."""
    config = {"retry": {"first_delay_s": 0.05, "max_delay_s": 0.05, "max_attempts": 2}}
    arguments = ("--kind", "webhook", "--url", receiver.url, "--config", json.dumps(config))
    made: dict[str, Any] = run("destinations", "create", *arguments, data=data)
    return str(made["id"])


@pytest.fixture
def sender(hub: Hub, admin: httpx.Client, hook: str) -> Iterator[Partner]:
    """A client whose contacts go there."""
    with create_client(hub, admin, rate=1000, destination_ids=[hook]) as client:
        yield client


def states(data: Path, job_id: str) -> dict[str, int]:
    counted: dict[str, int] = run("jobs", "show", job_id, data=data)["states"]
    return counted


def test_one_poison_contact_among_a_thousand_is_found_mended_and_delivered(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phones = list(dict.fromkeys(mobile() for _ in range(1000)))
    receiver.poison = {phones[333]}
    job = sender.finished(sender.post([{"phone": phone} for phone in phones]).json()["job_id"])

    before = states(data, job["job_id"])
    [letter] = run("destinations", "dead-letters", hook, data=data)
    tries = run("destinations", "attempts", hook, letter["chunk_id"], data=data)
    receiver.poison = set()
    replayed = run("destinations", "replay", hook, data=data)

    assert before == {"created": len(phones) - 1, "failed": 1}
    assert (letter["position"], letter["state"], letter["response_status_code"]) == (333, "failed", 422)
    assert letter["job_id"] == job["job_id"]
    assert {each["answer_body"] for each in tries} == {'{"error": "bad contact"}', ""}
    assert (replayed["state"], replayed["total"], replayed["done"], replayed["failed"]) == ("completed", 1, 1, 0)
    assert states(data, job["job_id"]) == {"created": len(phones)}
    assert run("destinations", "dead-letters", hook, data=data) == []
    assert sorted(receiver.taken) == sorted(phones)


def test_a_replay_that_fails_again_leaves_the_dead_letter(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phone = mobile()
    receiver.poison = {phone}
    job = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])

    replayed = run("destinations", "replay", hook, "--job", job["job_id"], data=data)

    [letter] = run("destinations", "dead-letters", hook, data=data)
    assert (replayed["done"], replayed["failed"]) == (0, 1)
    assert letter["round"] == 1
    assert states(data, job["job_id"]) == {"failed": 1}


def test_the_timeline_of_a_job_has_every_try(receiver: PickyReceiver, hook: str, sender: Partner, data: Path) -> None:
    phone = mobile()
    receiver.poison = {phone}
    job = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])
    receiver.poison = set()
    run("destinations", "replay", hook, "--job", job["job_id"], data=data)

    timeline = run("jobs", "show", job["job_id"], data=data)["timeline"]

    assert (timeline[0]["what"], timeline[-1]["what"]) == ("accepted", "completed")
    tries = [each for each in timeline if each["what"].startswith("try ")]
    assert [(each["what"], each["status"]) for each in tries] == [("try 1", 422), ("try 1 of round 2", 200)]
    assert [each["destination_id"] for each in tries] == [hook, hook]
    assert [each["at"] for each in timeline] == sorted(each["at"] for each in timeline)


def test_a_discarded_dead_letter_keeps_its_state_and_says_who_and_why(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phone = mobile()
    receiver.poison = {phone}
    job = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])

    discarded = run("destinations", "discard", hook, "--because", "never existed", data=data)

    assert discarded == {"discarded": 1}
    assert run("destinations", "dead-letters", hook, data=data) == []
    [letter] = run("destinations", "dead-letters", hook, "--closed", data=data)
    assert (letter["closed_as"], letter["closed_because"], letter["state"]) == ("discarded", "never existed", "failed")
    assert letter["closed_by"]
    assert states(data, job["job_id"]) == {"failed": 1}
    assert run("destinations", "replay", hook, data=data)["total"] == 0


def test_filters_choose_which_dead_letters_are_meant(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phones = [mobile(), mobile()]
    receiver.poison = set(phones)
    jobs = [sender.finished(sender.post([{"phone": phone}]).json()["job_id"])["job_id"] for phone in phones]

    def listed(*arguments: str) -> set[str]:
        return {each["job_id"] for each in run("destinations", "dead-letters", hook, *arguments, data=data)}

    assert listed() == set(jobs)
    assert listed("--job", jobs[0]) == {jobs[0]}
    assert listed("--state", "unknown") == set()
    assert listed("--state", "failed", "--since", "1h") == set(jobs)
    assert listed("--since", "2100-01-01T00:00:00Z") == set()
    assert listed("--reason", "422") == set(jobs)
    assert listed("--reason", "no such words") == set()
    assert len(run("destinations", "dead-letters", hook, "--limit", "1", data=data)) == 1


def test_a_paused_destination_keeps_its_backlog_and_sends_it_when_resumed(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    run("destinations", "pause", hook, "--reason", "moving house", data=data)
    accepted = sender.post([{"phone": mobile()}]).json()
    shown = look(
        lambda: found if (found := run("destinations", "show", hook, data=data))["waiting"] else None,
        what="the backlog",
    )

    run("destinations", "resume", hook, data=data)
    job = sender.finished(accepted["job_id"])

    assert (shown["paused"], shown["pause_reason"], shown["waiting"]) == (True, "moving house", 1)
    assert shown["oldest_waiting_at"]
    assert (job["sent_contacts"], len(receiver.taken)) == (1, 1)
    assert run("destinations", "show", hook, data=data)["pause_reason"] == ""


def test_what_goes_wrong_is_seen_at_the_destination(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phone = mobile()
    receiver.poison, receiver.status = {phone}, 503
    sender.finished(sender.post([{"phone": phone}]).json()["job_id"])

    shown = run("destinations", "show", hook, data=data)

    assert shown["dead_letters"] == 1
    assert [each["response_status_code"] for each in shown["last_errors"]] == [503, 503]
    assert shown["breaker"] == "closed"


def test_contacts_that_the_tag_filter_holds_back_end_visibly(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    wanted, other = mobile(), mobile()
    run("destinations", "update", hook, "--config", '{"tags": {"any_of": ["vip"]}}', data=data)

    job = sender.finished(
        sender.post([{"phone": wanted, "tags": ["vip", "x"]}, {"phone": other, "tags": ["x"]}]).json()["job_id"]
    )

    rows = run("jobs", "rows", job["job_id"], data=data)
    assert rows["states"] == {"created": 1, "unchanged": 1}
    assert rows["rows"][1]["reason"] == "not sent: filtered by tags"
    assert receiver.taken == [wanted]


def test_a_job_retried_takes_its_dead_letters_along(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    phone = mobile()
    receiver.poison = {phone}
    job_id = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])["job_id"]
    receiver.poison = set()

    run("jobs", "retry", job_id, data=data)
    sender.finished(job_id)

    assert run("destinations", "dead-letters", hook, data=data) == []
    assert states(data, job_id) == {"created": 1}


def test_unknown_rows_are_not_sent_again_unless_that_is_said_twice(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    job_id = make_unknown(receiver, hook, sender, data)
    came = len(receiver.requests)

    plain = run("destinations", "replay", hook, data=data)
    refused = refusal("destinations", "replay", hook, "--state", "unknown", data=data)
    receiver.poison = set()
    replayed = run("destinations", "replay", hook, "--state", "unknown", "--repeat-unknown", data=data)

    assert plain["total"] == 0
    assert "/repeat_unknown" in refused
    assert (replayed["total"], replayed["done"]) == (1, 1)
    assert len(receiver.requests) == came + 1
    assert states(data, job_id) == {"created": 1}


def test_an_operator_says_that_unknown_rows_had_arrived(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    job_id = make_unknown(receiver, hook, sender, data)

    resolved = run("destinations", "resolve", hook, "--delivered", "--because", "seen there", data=data)

    assert resolved == {"resolved": 1}
    assert states(data, job_id) == {"created": 1}
    assert sender.finished(job_id)["status"] == "completed"
    [letter] = run("destinations", "dead-letters", hook, "--closed", data=data)
    assert (letter["closed_as"], letter["closed_because"], letter["state"]) == ("delivered", "seen there", "unknown")


def test_an_operator_says_that_unknown_rows_had_not_arrived(
    receiver: PickyReceiver, hook: str, sender: Partner, data: Path
) -> None:
    job_id = make_unknown(receiver, hook, sender, data)

    resolved = run("destinations", "resolve", hook, "--not-delivered", data=data)
    between = states(data, job_id)
    [letter] = run("destinations", "dead-letters", hook, data=data)
    receiver.poison = set()
    replayed = run("destinations", "replay", hook, data=data)

    assert (resolved, between) == ({"resolved": 1}, {"failed": 1})
    assert (letter["state"], letter["reason"]) == ("failed", "An operator said that it had not arrived.")
    assert replayed["done"] == 1
    assert states(data, job_id) == {"created": 1}


def make_unknown(receiver: PickyReceiver, hook: str, sender: Partner, data: Path) -> str:
    """A job whose one row may have arrived at a receiver that is not idempotent."""
    phone = mobile()
    receiver.poison, receiver.status = {phone}, 0
    run("destinations", "update", hook, "--config", '{"idempotent": false}', data=data)
    job_id: str = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])["job_id"]
    assert states(data, job_id) == {"unknown": 1}
    return job_id

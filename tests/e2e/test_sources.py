"""A source on the command line, from the running hub to its contact book."""

import asyncio
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_cli import run
from tests.e2e.test_import_path import mobile
from tests.fakes.contact_source import Book, ContactSourceFake, Status, too_many
from tests.fixtures.waiting import PATIENCE_SECONDS, look, wait_for

SECRETS = ("--client-id", "test_id", "--client-secret", "test_secret")


@contextmanager
def serving(fake: ContactSourceFake) -> Iterator[ContactSourceFake]:
    """The source on a loop of its own: the command runs beside it."""
    started, loop = threading.Event(), asyncio.new_event_loop()
    stopping = asyncio.Event()

    async def serve() -> None:
        async with fake:
            started.set()
            await stopping.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert started.wait(PATIENCE_SECONDS)
        yield fake
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join()
        loop.close()


def contact(number: int, phone: str, **given: Any) -> dict[str, Any]:
    return {
        "id": number,
        "first_name": "Victor",
        "last_name": f"Donnelly {number}",
        "company": "eos",
        "type": "lead",
        "phones": [{"number": phone, "label": "mobile"}, {"number": mobile(), "label": "pager"}],
        "emails": [{"email": f"v{number}.{uuid.uuid4().hex[:8]}@example.org", "label": "business"}],
        **given,
    }


@pytest.fixture
def phones() -> list[str]:
    return [mobile() for _ in range(5)]


@pytest.fixture
def fake(phones: list[str]) -> Iterator[ContactSourceFake]:
    book = Book(contact(number, phone) for number, phone in enumerate(phones, start=1))
    with serving(ContactSourceFake(book)) as fake:
        yield fake


@pytest.fixture
def source_id(fake: ContactSourceFake, data: Path) -> Iterator[str]:
    config = '{"page_size": 2, "interval_h": 2, "retry": {"first_delay_s": 0.01, "max_attempts": 3}}'
    made = run("sources", "create", "--kind", "custom", "--url", fake.url, *SECRETS, "--config", config, data=data)
    yield made["id"]
    run("sources", "delete", made["id"], data=data)


def in_book(admin: httpx.Client, phone: str) -> dict[str, Any] | None:
    found = admin.get("/admin/v1/contacts", params={"phone": phone}).json()["contacts"]
    return found[0]["contact"] if found else None


def test_source_goes_to_the_book_with_all_its_phones_and_labels(
    source_id: str, data: Path, admin: httpx.Client, phones: list[str]
) -> None:
    tested = run("sources", "test", source_id, data=data)
    synced = run("sources", "sync", source_id, "--wait", data=data)

    assert (tested["ok"], tested["seen"]) == (True, 2)
    assert (synced["status"], synced["full"], synced["pages"], synced["changed"]) == ("completed", True, 3, 5)
    wait_for(lambda: all(in_book(admin, phone) for phone in phones))
    found = in_book(admin, phones[0])
    assert found is not None
    assert (found["first_name"], found["company"], len(found["phones"])) == ("Victor", "eos", 2)
    assert {each["label"] for each in found["phones"]} == {"mobile", "other"}


def test_unchanged_source_brings_nothing_and_a_delta_brings_just_what_changed(
    source_id: str, data: Path, admin: httpx.Client, fake: ContactSourceFake, phones: list[str]
) -> None:
    run("sources", "sync", source_id, "--wait", data=data)
    full = run("sources", "sync", source_id, "--full", "--wait", data=data)
    wait_for(lambda: in_book(admin, phones[4]) is not None)
    fake.book.now = 2_000_000_000
    fake.book.put(contact(1, phones[0], company="mono"))
    fake.book.delete("5")

    delta = run("sources", "sync", source_id, "--wait", data=data)

    assert (full["changed"], full["unchanged"]) == (0, 5)
    assert (delta["full"], delta["changed"], delta["deleted"]) == (False, 1, 1)
    wait_for(lambda: in_book(admin, phones[4]) is None)
    changed = in_book(admin, phones[0])
    assert changed is not None
    wait_for(lambda: (in_book(admin, phones[0]) or {}).get("company") == "mono")
    assert [each["status"] for each in run("sources", "runs", source_id, data=data)] == ["completed"] * 3


def test_empty_source_is_held_until_it_is_approved(
    source_id: str, data: Path, admin: httpx.Client, fake: ContactSourceFake, phones: list[str]
) -> None:
    run("sources", "sync", source_id, "--wait", data=data)
    wait_for(lambda: all(in_book(admin, phone) for phone in phones))
    for contact_id in list(fake.book.contacts):
        fake.book.delete(contact_id)

    held = run("sources", "sync", source_id, "--full", "--wait", data=data)
    still_there = in_book(admin, phones[0])
    approved = run("sources", "approve-deletes", source_id, data=data)

    assert (held["status"], held["held_deletes"], held["deleted"]) == ("held", 5, 0)
    assert still_there
    assert (approved["status"], approved["deleted"]) == ("completed", 5)
    wait_for(lambda: not any(in_book(admin, phone) for phone in phones))


def test_source_that_asks_for_patience_is_waiting_and_one_that_fails_says_why(
    source_id: str, data: Path, fake: ContactSourceFake
) -> None:
    def synced() -> Any:
        """A run that is open goes on."""
        found = run("sources", "sync", source_id, "--wait", "--timeout", "1", data=data)
        return found if found["status"] != "running" else None

    fake.at(2, too_many("3600"))
    waiting = look(synced, what="a run that waits")
    listed = run("sources", "runs", source_id, data=data)[0]

    assert (waiting["status"], waiting["pages"]) == ("waiting", 1)
    assert waiting["waits_until"]
    assert listed["status"] == "waiting"


def test_failing_source_moves_nothing(source_id: str, data: Path, fake: ContactSourceFake) -> None:
    fake.at(1, *[Status(500)] * 3)

    failed = run("sources", "sync", source_id, "--wait", data=data)
    shown = run("sources", "show", source_id, data=data)

    assert (failed["status"], failed["retries"], failed["pages"]) == ("failed", 2, 0)
    assert failed["message"]
    assert shown["cursor"] is None


def test_source_is_paused_and_enabled_and_its_cursor_reset(source_id: str, data: Path) -> None:
    run("sources", "sync", source_id, "--wait", data=data)

    paused = run("sources", "pause", source_id, data=data)
    enabled = run("sources", "enable", source_id, data=data)
    reset = run("sources", "reset-cursor", source_id, data=data)

    assert (paused["enabled"], paused["next_run_at"]) == (False, None)
    assert (enabled["enabled"], bool(enabled["next_run_at"]), bool(enabled["cursor"])) == (True, True, True)
    assert reset["cursor"] is None


def test_secrets_are_never_shown(source_id: str, admin: httpx.Client) -> None:
    told = admin.get(f"/admin/v1/sources/{source_id}").text + admin.get("/admin/v1/sources").text

    assert "test_secret" not in told


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"url": "http://169.254.169.254/x"}, "/settings/url"),
        ({"url": "http://crm.example", "cron": "never"}, "/settings/cron"),
        ({"url": "http://crm.example", "client_id": ""}, "/settings/client_id"),
    ],
)
def test_source_that_breaks_a_rule_is_refused_with_its_place(
    admin: httpx.Client, given: dict[str, str], pointer: str
) -> None:
    body = {"kind": "SOURCE_KIND_CUSTOM", "settings": {"client_id": "i", **given}, "secrets": {"client_secret": "s"}}

    answer = admin.post("/admin/v1/sources", json=body)

    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["details"]] == [pointer]

"""Sources, as an operator reads them and lets their deletes go on in the console."""

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.test_import_path import mobile
from tests.e2e.test_sources import contact, serving
from tests.fakes.contact_source import Book, ContactSourceFake
from tests.fixtures.console import Console


@pytest.fixture
def fake() -> Iterator[ContactSourceFake]:
    book = Book(contact(number, mobile()) for number in range(1, 6))
    with serving(ContactSourceFake(book)) as fake:
        yield fake


@pytest.fixture
def source(fake: ContactSourceFake, admin: httpx.Client) -> Iterator[str]:
    settings = {
        "name": "Telephone exchange",
        "url": fake.url,
        "client_id": "test_id",
        "retry": {"first_delay": "0.01s", "max_attempts": 2},
    }
    body = {"kind": "SOURCE_KIND_CUSTOM", "settings": settings, "secrets": {"client_secret": "test_secret"}}
    made = admin.post("/admin/v1/sources", json=body).raise_for_status().json()["source"]["id"]
    yield made
    admin.delete(f"/admin/v1/sources/{made}").raise_for_status()


def test_source_is_tested_read_held_and_its_deletes_are_approved(
    console: Console, source: str, fake: ContactSourceFake
) -> None:
    browser = console.browser
    console.open(f"/sources/{source}/test")
    browser.click("Test now")
    browser.sees("It let the hub in and gave a page")
    browser.click("Back")
    browser.click("Sync now")
    browser.sees("The source is being read.")
    browser.sees("completed")
    for contact_id in list(fake.book.contacts):
        fake.book.delete(contact_id)
    browser.click("Read everything")
    browser.sees("5 deletes are held.")
    console.judge(f"/sources/{source}", name="source-held")
    browser.click("Look at the held deletes…")
    console.judge_here(name="source-approve")
    browser.click("Delete 5 contacts")

    browser.sees("The held deletes go on.")
    browser.element("//tbody/tr[1]//*[contains(., 'completed')]")


def test_paused_source_has_no_next_run_until_it_is_enabled(console: Console, source: str) -> None:
    browser = console.browser
    console.open(f"/sources/{source}")
    browser.click("Pause")
    browser.sees("The source is read no more by schedule.")
    shown = browser.text
    browser.click("Enable")

    browser.sees("The source is read by schedule again.")
    assert "by schedule" not in shown.replace("by schedule.", "")
    browser.sees("every 1 d")


def test_pages_of_sources_are_for_everybody(console: Console, source: str, fake: ContactSourceFake) -> None:
    browser = console.browser
    fake.book.put(contact(6, mobile(), first_name="", last_name=""))
    console.open(f"/sources/{source}")
    browser.click("Sync now")
    browser.element("//tbody/tr[1]//*[contains(., 'completed')]")
    run = browser.element("//tbody/tr[1]//a").get_attribute("href") or ""

    console.judge("/sources", name="sources")
    console.judge(f"/sources/{source}", name="source")
    console.judge(run.partition("/console")[2], name="source-run")
    console.judge(f"/sources/{source}/test", name="source-test")

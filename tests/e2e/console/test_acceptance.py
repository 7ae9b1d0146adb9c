"""What the console is for: from somebody's complaint to the row that arrived, with and without a mouse."""

import uuid
from collections.abc import Iterator

import httpx
import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e.test_import_path import mobile
from tests.fakes.picky import PickyReceiver, picky_receiver
from tests.fixtures.console import Console
from tests.fixtures.partner import Partner

SOUGHT = "Correlation id, import or phone"
REFUSED = "The receiver answered 422."


@pytest.fixture
def mended() -> Iterator[PickyReceiver]:
    """Where the destination's owner says that it is now."""
    with picky_receiver() as running:
        yield running


def test_failed_row_is_found_by_correlation_id_its_destination_mended_and_the_row_delivered(
    console: Console, hook: str, sender: Partner, receiver: PickyReceiver, mended: PickyReceiver
) -> None:
    browser, correlation_id = console.browser, f"complaint-{uuid.uuid4().hex[:8]}"
    good, bad = mobile(), mobile()
    receiver.poison = {bad}
    accepted = sender.post([{"phone": good}, {"phone": bad}], X_Correlation_ID=correlation_id).json()
    job_id = sender.finished(accepted["job_id"])["job_id"]

    browser.click("Imports")
    browser.fill(SOUGHT, correlation_id)
    browser.click("Find")
    browser.element(_link_to(job_id)).click()
    browser.element(f"//section[@aria-labelledby='rows']//tr[contains(., '{bad}')][contains(., '{REFUSED}')]")
    console.judge(f"/imports/{job_id}", name="import-with-a-failed-row")
    browser.click("Shop CRM", within="//section[@aria-labelledby='states']")
    browser.sees(REFUSED)
    browser.click("Edit…")
    browser.fill("URL", mended.url)
    browser.click("Save")
    browser.sees("The settings are in force within a second.")
    browser.click("Test…")
    browser.click("Test now")
    browser.sees("It answered as it should")

    browser.tab_to("Look at dead letters")
    browser.press(Keys.ENTER)
    browser.sees("Dead letters of Shop CRM")
    browser.tab_to(f"Choose {job_id}.0/")
    browser.press(Keys.SPACE)
    browser.tab_to("Replay")
    browser.press(Keys.ENTER)

    browser.sees("A replay of 1 row has begun.")
    browser.element("//section[@aria-labelledby='replays']//tbody/tr[1][contains(., 'done')]")
    browser.sees("0\nLook at dead letters")
    console.open(f"/imports?q={correlation_id}")
    browser.element(_link_to(job_id)).click()
    rows = browser.element("//section[@aria-labelledby='rows']").text
    assert ("created" in rows, "failed" in rows.partition("Reason")[2]) == (True, False)
    assert mended.taken[-1] == bad
    console.judge(f"/imports/{job_id}", name="import-delivered")


def test_import_is_found_by_phone_and_by_its_id(console: Console, sender: Partner) -> None:
    browser, phone = console.browser, mobile()
    job_id = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])["job_id"]

    for sought in (phone, f"8 ({phone[2:5]}) {phone[5:8]}-{phone[8:10]}-{phone[10:]}", job_id):
        console.open("/imports")
        browser.fill(SOUGHT, sought)
        browser.press(Keys.ENTER)
        browser.element(_link_to(job_id))


def test_pages_of_the_shell_are_for_everybody(console: Console, sender: Partner, admin: httpx.Client) -> None:
    sender.finished(sender.post([{"phone": mobile()}, {"phone": "12"}]).json()["job_id"])

    console.judge("", name="overview")
    console.judge("/imports", name="imports")
    console.browser.click("Sign out")
    console.browser.sees("You are signed out.")
    console.judge_here(name="signed-out")


def test_page_that_is_not_there_says_so(console: Console) -> None:
    console.open("/destinations/dest-of-nobody")

    console.browser.sees("There is no such page")
    assert any("404" in each for each in console.browser.complaints())


def _link_to(job_id: str) -> str:
    return f"//tbody//a[contains(@href, '/imports/{job_id}')]"

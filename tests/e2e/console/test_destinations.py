"""Destinations and their dead letters, as an operator mends them in the console."""

import httpx

from tests.e2e.console.conftest import MakeHook
from tests.e2e.test_import_path import mobile
from tests.fakes.picky import PickyReceiver
from tests.fixtures.console import Console
from tests.fixtures.partner import Partner
from tests.fixtures.waiting import look, wait_for


def fail(sender: Partner, receiver: PickyReceiver, count: int) -> str:
    """An import of which so many rows are refused; its job's id."""
    phones = [mobile() for _ in range(count)]
    receiver.poison = set(phones)
    job = sender.finished(sender.post([{"phone": phone} for phone in [*phones, mobile()]]).json()["job_id"])
    return str(job["job_id"])


def states(sender: Partner, job_id: str) -> dict[str, int]:
    """Counts of the rows at the one destination of the job."""
    [counted] = sender.get(f"/v1/contacts/import/{job_id}/rows").json()["states"].values()
    return dict(counted)


def test_paused_destination_says_why_and_goes_on_when_it_is_resumed(console: Console, hook: str) -> None:
    browser = console.browser
    console.open(f"/destinations/{hook}")
    browser.click("Pause…")
    browser.fill("Why, for whoever looks later", "Maintenance until six, ask Olga")
    console.judge_here(name="destination-pause")
    browser.click("Pause")

    browser.sees("The destination is paused.")
    browser.sees("Reason: Maintenance until six, ask Olga")
    browser.click("Resume")

    browser.sees("The destination goes on")
    browser.sees("Pause…")


def test_settings_that_were_changed_go_out_and_refused_ones_say_why_and_stay_typed(
    console: Console, hook: str, admin: httpx.Client
) -> None:
    browser = console.browser
    console.open(f"/destinations/{hook}/edit")
    browser.fill("URL", "http://10.0.0.1/hook")
    browser.fill("Tries", "7")
    browser.click("Save")
    browser.sees("/url")
    console.judge_here(name="destination-edit-refused")
    typed = browser.field("Tries").get_attribute("value")
    browser.fill("Tries", "many")
    browser.fill("URL", "http://127.0.0.1:9/other")
    browser.click("Save")
    browser.sees("This is not a number:")
    browser.fill("Tries", "7")
    browser.click("Save")

    browser.sees("The settings are in force within a second.")
    found = admin.get(f"/admin/v1/destinations/{hook}").json()["destination"]
    assert typed == "7"
    assert (found["url"], found["retry"]["max_attempts"], found["retry"]["first_delay"]) == (
        "http://127.0.0.1:9/other",
        7,
        "0.050s",
    )


def test_test_shows_how_the_destination_answers(console: Console, hook: str, receiver: PickyReceiver) -> None:
    browser = console.browser
    console.open(f"/destinations/{hook}/test")
    browser.click("Test now")

    browser.sees("It answered as it should")
    browser.sees('{"ok": true}')
    assert [body["type"] for _, body in receiver.requests] == ["contacts.test"]
    console.judge_here(name="destination-tested")


def test_rows_that_are_ticked_are_discarded_with_a_reason_and_no_others(
    console: Console, hook: str, sender: Partner, receiver: PickyReceiver, admin: httpx.Client
) -> None:
    browser = console.browser
    fail(sender, receiver, 3)
    console.open(f"/destinations/{hook}/dead-letters")
    browser.click("Discard…")
    browser.sees("Choose rows first")
    for box in browser.elements("//tbody//input[@type='checkbox']")[:2]:
        box.click()
    browser.click("Discard…")
    browser.sees("2 rows")
    browser.fill("Why, for whoever looks later", "Test data of the shop")
    console.judge_here(name="dead-letters-discard")
    browser.click("Discard")

    browser.sees("2 rows are discarded.")
    letters = admin.get(f"/admin/v1/destinations/{hook}/dead-letters", params={"closed": "true"}).json()["dead_letters"]
    assert sorted(each["closed_because"] for each in letters) == ["", "Test data of the shop", "Test data of the shop"]


def test_unknown_rows_are_sent_again_only_when_that_is_said(
    console: Console, make_hook: MakeHook, receiver: PickyReceiver, sender: Partner, admin: httpx.Client
) -> None:
    browser = console.browser
    careless = make_hook(receiver.url, name="Careless", idempotent=False)
    admin.patch(
        f"/admin/v1/clients/{sender.client_id}", json={"settings": {"destination_ids": [careless], "rate": 100}}
    )
    receiver.status = 0

    def uncertain() -> str | None:
        phone = mobile()
        receiver.poison = {phone}
        job = sender.finished(sender.post([{"phone": phone}]).json()["job_id"])
        return str(job["job_id"]) if states(sender, job["job_id"]) == {"unknown": 1} else None

    job_id = look(uncertain)
    receiver.poison = set()
    console.open(f"/destinations/{careless}/dead-letters?job={job_id}")
    browser.click("Row 0 of chunk 0")
    browser.click("Replay")
    browser.sees("None of these can be sent again as they are")
    browser.field("All that the list shows").click()
    browser.field("Send unknown ones, too").click()
    browser.click("Replay")

    browser.sees("A replay of 1 row has begun.")
    wait_for(lambda: states(sender, job_id) == {"created": 1})


def test_pages_of_destinations_are_for_everybody(
    console: Console, hook: str, sender: Partner, receiver: PickyReceiver
) -> None:
    job_id = fail(sender, receiver, 2)

    console.judge("/destinations", name="destinations")
    console.judge(f"/destinations/{hook}", name="destination")
    console.judge(f"/destinations/{hook}/edit", name="destination-edit")
    console.judge(f"/destinations/{hook}/test", name="destination-test")
    console.judge(f"/destinations/{hook}/dead-letters", name="dead-letters")
    console.judge(f"/destinations/{hook}/dead-letters/{job_id}.0/0", name="dead-letter")


def test_everything_works_without_the_script(
    console: Console, hook: str, sender: Partner, receiver: PickyReceiver
) -> None:
    browser = console.browser
    job_id = fail(sender, receiver, 1)
    receiver.poison = set()
    with browser.without("*console.js*"):
        console.open(f"/destinations/{hook}/dead-letters/{job_id}.0/0")
        browser.click("Replay")
        browser.sees("A replay of 1 row has begun.")
        wait_for(lambda: states(sender, job_id) == {"created": 2})
        console.open(f"/destinations/{hook}")

        browser.sees("0\nLook at dead letters")
        assert browser.elements("//*[@id='live'][contains(@class, 'on')]") == []

"""Clients and their keys, as an operator gives and takes them in the console."""

import uuid
from typing import Any

import httpx

from libs.cli.stack.hub import Hub
from tests.e2e.console.conftest import MakeHook
from tests.fakes.picky import PickyReceiver
from tests.fixtures.console import Console
from tests.fixtures.partner import Partner
from tests.fixtures.waiting import wait_for


def opens(hub: Hub, key: str) -> bool:
    answer = httpx.get(
        f"{hub.url}/v1/contacts/import/none", headers={"Authorization": f"Bearer {key}"}, trust_env=False
    )
    return answer.status_code == httpx.codes.NOT_FOUND


def client(admin: httpx.Client, client_id: str) -> dict[str, Any]:
    found: dict[str, Any] = admin.get(f"/admin/v1/clients/{client_id}").json()["client"]
    return found


def test_new_client_gets_a_key_that_is_shown_once(
    console: Console, hub: Hub, make_hook: MakeHook, receiver: PickyReceiver, admin: httpx.Client
) -> None:
    browser, name = console.browser, f"Branch {uuid.uuid4().hex[:6]}"
    hook = make_hook(receiver.url, name=f"CRM of {name}")
    console.open("/clients")
    browser.click("New client…")
    browser.fill("Name", name)
    browser.field(f"CRM of {name}").click()
    browser.fill("Allowed networks", "127.0.0.300/8")
    browser.click("Create")
    browser.sees("/settings/allowed_networks")
    browser.fill("Allowed networks", "127.0.0.0/8\n10.0.0.0/8")
    browser.field("Signed requests").send_keys("every")
    browser.click("Create")
    browser.sees("This is shown once.")
    console.judge_here(name="client-key")
    key = browser.field("API key").get_attribute("value") or ""
    secret = browser.field("HMAC secret").get_attribute("value")
    browser.click("I have kept it")

    browser.sees("Limits and settings")
    assert key not in browser.driver.page_source
    client_id = browser.url.rpartition("/")[2]
    settings = client(admin, client_id)["settings"]
    assert secret
    assert set(settings["destination_ids"]) == {"directory", hook}
    assert (settings["allowed_networks"], settings["hmac"]) == (["127.0.0.0/8", "10.0.0.0/8"], True)


def test_limits_that_were_changed_go_out_and_the_others_stay(
    console: Console, partner: Partner, admin: httpx.Client
) -> None:
    browser = console.browser
    console.open(f"/clients/{partner.client_id}/edit")
    admin.patch(f"/admin/v1/clients/{partner.client_id}", json={"settings": {"default_region": "DE", "rate": 1000}})
    browser.fill("Requests per second", "25.5")
    browser.click("Save")

    browser.sees("The settings are in force within 5 seconds.")
    settings = client(admin, partner.client_id)["settings"]
    assert (settings["rate"], settings["default_region"]) == (25.5, "DE")


def test_rotated_key_opens_beside_the_old_one_and_a_revoked_one_opens_nothing(
    console: Console, hub: Hub, partner: Partner, admin: httpx.Client
) -> None:
    browser = console.browser
    console.open(f"/clients/{partner.client_id}")
    browser.click("Rotate the key…")
    browser.field("The old key ends").send_keys("in an hour")
    browser.click("Make a new key")
    key = browser.field("API key").get_attribute("value") or ""
    both = opens(hub, key), opens(hub, partner.api_key)
    browser.click("I have kept it")
    browser.sees("ending")
    console.judge(f"/clients/{partner.client_id}", name="client")
    old = client(admin, partner.client_id)["keys"][0]["key_id"]
    browser.click(f"Revoke {old}")
    console.judge_here(name="client-revoke")
    browser.click("Revoke the key")

    browser.sees("The key is revoked.")
    assert both == (True, True)
    wait_for(lambda: not opens(hub, partner.api_key))
    assert opens(hub, key)


def test_disabled_client_is_refused_until_it_is_enabled(console: Console, hub: Hub, partner: Partner) -> None:
    browser = console.browser
    console.open(f"/clients/{partner.client_id}")
    browser.click("Disable…")
    browser.click("Disable")
    browser.sees("The client is disabled.")
    wait_for(lambda: not opens(hub, partner.api_key))
    browser.click("Enable")

    browser.sees("The client is enabled.")
    wait_for(lambda: opens(hub, partner.api_key))


def test_pages_of_clients_are_for_everybody(console: Console, partner: Partner) -> None:
    console.judge("/clients", name="clients")
    console.judge(f"/clients/{partner.client_id}/edit", name="client-edit")
    console.judge(f"/clients/{partner.client_id}/rotate", name="client-rotate")
    console.judge("/new-client", name="client-new")

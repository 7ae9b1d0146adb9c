"""What guards a client's keys, as its operator sets it and as it is met through the gateway."""

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub, running_hub
from tests.e2e.test_cli import run
from tests.e2e.test_import_path import mobile
from tests.fixtures.hub import admin_of
from tests.fixtures.partner import Partner, create_client, from_address, loopback_address
from tests.fixtures.places import choose_place, grown
from tests.fixtures.waiting import wait_for


def get(http: httpx.Client, partner: Partner, **headers: str) -> int:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    path = "/v1/contacts/import/none"
    return http.get(path, headers={"Authorization": f"Bearer {partner.api_key}", **sent}).status_code


def becomes(status: int, partner: Partner, **headers: str) -> bool:
    """Returns True once the answer to the partner is this one."""
    wait_for(lambda: get(partner.http, partner, **headers) == status, what=f"a {status}")
    return True


def signed(secret: str, body: bytes = b"") -> dict[str, str]:
    timestamp = datetime.now(UTC).isoformat()
    signature = hmac.new(secret.encode(), f"{timestamp}\n".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Timestamp": timestamp, "X-Signature": signature}


def test_allowlist_judges_the_address_that_called_the_gateway(hub: Hub, admin: httpx.Client) -> None:
    home = loopback_address()
    inside, outside = from_address(hub, home), from_address(hub, loopback_address())

    with inside, outside, create_client(hub, admin, rate=1000, allowed_networks=[f"{home}/32", "2001:db8::/32"]) as it:
        assert get(inside, it) == 404
        assert get(inside, it, X_Forwarded_For="203.0.113.9") == 404
        assert get(outside, it) == 403
        assert get(outside, it, X_Forwarded_For=home) == 403
        assert get(outside, it, X_Contactsync_Client=home) == 403


def test_proxies_that_are_trusted_say_where_a_call_comes_from(tmp_path: Path) -> None:
    allowed = ["203.0.113.0/24", "2001:db8::/32"]
    forwarded = ("203.0.113.9", "2001:db8::5", "203.0.114.9", "2001:db9::5", "203.0.113.9, 198.51.100.1")

    choose_place(tmp_path / "data")
    with (
        running_hub(tmp_path / "data", port=0, shape=grown(), trusted_hops=1) as hub,
        admin_of(hub) as admin,
        create_client(hub, admin, rate=1000, allowed_networks=allowed) as partner,
    ):
        answers = [get(partner.http, partner, X_Forwarded_For=address) for address in forwarded]

    assert answers == [404, 404, 403, 403, 403]


def test_settings_are_changed_on_the_command_line_and_in_force_soon(data: Path, hub: Hub) -> None:
    made = run("clients", "create", "--name", "guarded", "--rate", "500", "--allow", "127.0.0.0/8", data=data)

    with httpx.Client(base_url=hub.url, timeout=30, trust_env=False) as http:
        partner = Partner(made["id"], made["api_key"], http, "")
        assert get(http, partner) == 404
        run("clients", "update", made["id"], "--allow", "10.0.0.0/8", "--allow", "2001:db8::/32", data=data)
        assert becomes(403, partner)
        secret = run("clients", "update", made["id"], "--allow-any", "--hmac", data=data)["hmac_secret"]
        assert becomes(401, partner)
        assert get(http, partner, **signed(secret)) == 404
        run("clients", "update", made["id"], "--no-hmac", "--rate", "0.01", data=data)
        assert becomes(429, partner)
    shown = run("clients", "show", made["id"], data=data)["settings"]

    assert (shown["rate"], shown["hmac"], shown["allowed_networks"]) == (0.01, False, [])
    assert (shown["default_region"], shown["scopes"]) == ("RU", ["SCOPE_IMPORT", "SCOPE_READ"])


def test_rotation_with_overlap_lets_both_secrets_sign(data: Path, hub: Hub) -> None:
    made = run("clients", "create", "--name", "signer", "--hmac", data=data)

    rotated = run("clients", "rotate", made["id"], "--overlap", "3600", data=data)
    with httpx.Client(base_url=hub.url, timeout=30, trust_env=False) as http:
        old, new = (Partner(made["id"], each["api_key"], http, "") for each in (made, rotated))
        answers = [
            get(http, each, **signed(secret))
            for each in (new, old)
            for secret in (made["hmac_secret"], rotated["hmac_secret"], "whatever")
        ]

    assert answers == [404, 404, 401] * 2


@contextmanager
def signer(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    with create_client(hub, admin, rate=1000, hmac=True) as partner:
        yield partner


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_retry_signs_the_body_it_sends(hub: Hub, admin: httpx.Client, body: bytes) -> None:
    with signer(hub, admin) as partner:
        imported = b'{"phone":"%s"}' % mobile().encode()
        accepted = partner.post(imported, **signed(partner.hmac_secret, imported))
        path = f"/v1/contacts/import/{accepted.json()['job_id']}/retry"
        answers = [send(partner, path, body, signed(partner.hmac_secret, over)) for over in (body, body + b" ")]

    assert answers == [202, 401]


def test_erasure_signs_the_body_it_sends_and_passes_once(hub: Hub, admin: httpx.Client) -> None:
    with signer(hub, admin) as partner:
        body = b'{"phone":"%s"}' % mobile().encode()
        headers = signed(partner.hmac_secret, body)
        answers = [send(partner, "/v1/contacts/erase", each, headers) for each in (body + b" ", body, body)]

    assert answers == [401, 202, 401]


def send(partner: Partner, path: str, body: bytes, headers: dict[str, Any]) -> int:
    sent = {"Authorization": f"Bearer {partner.api_key}", "Content-Type": "application/json", **headers}
    return partner.http.post(path, content=body, headers=sent).status_code

"""How often a client may ask, and how often an address may guess."""

import asyncio
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.refusals import assert_refused, headers
from tests.fixtures.partner import Partner, create_client, from_address, loopback_address
from tests.fixtures.waiting import PATIENCE_SECONDS

GUESSES = 50


@pytest.fixture
def slow(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    """A client that may ask once in 100 s."""
    with create_client(hub, admin, rate=0.01) as partner:
        yield partner


def unknown(partner: Partner) -> httpx.Response:
    return partner.get(f"/v1/contacts/import/{uuid.uuid4()}")


async def test_default_is_ten_a_second_with_a_burst_of_ten(hub: Hub, admin: httpx.Client) -> None:
    with create_client(hub, admin) as partner:
        async with httpx.AsyncClient(base_url=hub.url, headers=headers(partner), timeout=30, trust_env=False) as http:
            began = time.monotonic()
            answers = await asyncio.gather(*(http.get(f"/v1/contacts/import/{uuid.uuid4()}") for _ in range(60)))
            took = time.monotonic() - began

    passed = [answer for answer in answers if answer.status_code == 404]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(passed) + len(refused) == 60
    assert 10 <= len(passed) <= 10 + 10 * took + 1
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"10"}
    assert max(int(answer.headers["x-ratelimit-remaining"]) for answer in answers) == 9
    for answer in refused:
        assert_refused(answer, 429, "rate_limit_exceeded")
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["x-ratelimit-remaining"] == "0"


def test_client_that_waits_is_let_in_again(hub: Hub, admin: httpx.Client) -> None:
    with create_client(hub, admin, rate=1) as partner:
        statuses = [unknown(partner).status_code]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while statuses[-1] != 429 or statuses[0] != 404:
            statuses.append(unknown(partner).status_code)
            assert time.monotonic() < deadline
        while statuses[-1] == 429:
            statuses.append(unknown(partner).status_code)
            assert time.monotonic() < deadline

    assert set(statuses) == {404, 429}


def test_whole_wait_is_told(slow: Partner) -> None:
    first, refused = unknown(slow), unknown(slow)

    assert (first.status_code, refused.status_code) == (404, 429)
    assert 90 <= int(refused.headers["retry-after"]) <= 100
    assert 90 <= int(refused.headers["x-ratelimit-reset"]) <= 100


def test_limit_is_the_clients_and_not_the_keys(admin: httpx.Client, slow: Partner) -> None:
    rotated = admin.post(f"/admin/v1/clients/{slow.client_id}/rotate", json={}).json()
    second = Partner(slow.client_id, rotated["api_key"], slow.http)

    statuses = [unknown(partner).status_code for partner in (slow, second)]

    assert statuses == [404, 429]


def test_one_clients_limit_is_not_anothers(slow: Partner, partner: Partner) -> None:
    statuses = [unknown(each).status_code for each in (slow, slow, partner)]

    assert statuses == [404, 429, 404]


def test_refused_import_uses_no_key(hub: Hub, admin: httpx.Client) -> None:
    key, deadline = "", time.monotonic() + PATIENCE_SECONDS

    with create_client(hub, admin, rate=0.5) as partner:
        answer = unknown(partner)
        while answer.status_code != 429:
            key = str(uuid.uuid4())
            answer = partner.post({"phone": "+79001234567"}, key=key)
        while answer.status_code == 429:
            assert time.monotonic() < deadline
            answer = partner.post({"phone": "+79001234567"}, key=key)

    assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (202, None)


def test_standing_is_told_with_every_answer(partner: Partner) -> None:
    answers = [
        partner.post({"phone": "+79001234567"}), partner.post({"phone": "x"}), unknown(partner),
        partner.post({"phone": "+79001234567"}, X_Debug="true"), partner.get("/v1/idempotency/none"),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [202, 400, 404, 200, 404]
    for answer in answers:
        assert answer.headers["x-ratelimit-limit"] == "1000"
        assert 0 <= int(answer.headers["x-ratelimit-remaining"]) < 1000
        assert int(answer.headers["x-ratelimit-reset"]) >= 0


def test_guessing_is_limited_by_address_and_known_keys_are_spared(
    hub: Hub, admin: httpx.Client, partner: Partner
) -> None:
    """Each replica counts the failures that come to it."""
    unknown(partner)
    path, replicas = f"/v1/contacts/import/{uuid.uuid4()}", hub.plan.shape.replicas

    with create_client(hub, admin) as fresh, from_address(hub, loopback_address()) as http:
        began = time.monotonic()
        keys = [f"Bearer guess-{number}" for number in range(GUESSES * 3 * replicas)]
        guesses = [http.get(path, headers={"Authorization": key}) for key in keys]
        while http.get(path, headers={"Authorization": "Bearer one-more"}).status_code == 429:
            """Until the allowance is used up this moment: the next guess is a second away."""
        took = time.monotonic() - began
        unknown(partner)  # a key is known for 5 s
        spared = http.get(path, headers={"Authorization": f"Bearer {partner.api_key}"})
        held = http.get(path, headers={"Authorization": f"Bearer {fresh.api_key}"})
        elsewhere = unknown(fresh)

    passed = [answer for answer in guesses if answer.status_code == 401]
    assert GUESSES * replicas <= len(passed) <= (GUESSES + took + 1) * replicas
    for answer in guesses:
        assert_refused(answer, answer.status_code, "unauthorized" if answer in passed else "rate_limit_exceeded")
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in guesses if answer not in passed)
    assert (spared.status_code, held.status_code, elsewhere.status_code) == (404, 429, 404)

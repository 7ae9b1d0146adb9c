"""One key is one import, whoever asks how often, and a dry run uses none."""

import asyncio
import json
import random
import uuid
from collections import Counter
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.cli.stack.hub import Hub
from tests.contract.raw_http import exchange
from tests.contract.refusals import assert_refused
from tests.fixtures.partner import Partner, create_client

BODY = [{"phone": "+79001234567", "tags": ["лид"]}]
AT_ONCE = 100


def jobs(partner: Partner) -> list[str]:
    """The partner's jobs."""
    return [job["job_id"] for job in partner.get("/admin/v1/jobs").json()["jobs"]]


async def post_at_once(hub: Hub, partner: Partner, bodies: list[Any], key: str) -> list[httpx.Response]:
    headers = {
        "Authorization": f"Bearer {partner.api_key}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    limits = httpx.Limits(max_connections=len(bodies))
    async with httpx.AsyncClient(base_url=hub.url, timeout=60, trust_env=False, limits=limits) as http:
        posts = [http.post("/v1/contacts/import", json=body, headers=headers) for body in bodies]
        return list(await asyncio.gather(*posts))


async def test_hundred_posts_at_once_are_one_job(hub: Hub, partner: Partner) -> None:
    key = str(uuid.uuid4())

    answers = await post_at_once(hub, partner, [BODY] * AT_ONCE, key)

    accepted = [answer for answer in answers if answer.status_code == 202]
    waiting = [answer for answer in answers if answer.status_code == 409]
    assert len(accepted) + len(waiting) == AT_ONCE
    assert len({answer.content for answer in accepted}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in accepted].count(None) == 1
    for answer in waiting:
        assert_refused(answer, 409, "idempotency_in_progress")
        assert int(answer.headers["retry-after"]) >= 1
    assert jobs(partner) == [accepted[0].json()["job_id"]]
    assert partner.get(f"/v1/idempotency/{key}").json()["access_count"] == len(accepted) - 1


async def test_of_different_payloads_at_once_one_wins(hub: Hub, partner: Partner) -> None:
    bodies = [[{"phone": f"+7900123{number:04d}"}] for number in range(30)]

    answers = await post_at_once(hub, partner, bodies, str(uuid.uuid4()))

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {202: 1, 422: 29}
    assert len(jobs(partner)) == 1
    conflicts = {answer.content for answer in answers if answer.status_code == 422}
    assert len(conflicts) == 1


def test_keys_of_two_clients_are_two_keys(hub: Hub, admin: httpx.Client, partner: Partner) -> None:
    key = str(uuid.uuid4())
    with create_client(hub, admin) as other:
        theirs = other.post([{"phone": "+79001234560"}], key=key)
        before = partner.get(f"/v1/idempotency/{key}")
        ours = partner.post(BODY, key=key)

    assert (theirs.status_code, before.status_code, ours.status_code) == (202, 404, 202)
    assert theirs.json()["job_id"] != ours.json()["job_id"]


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("{}", '"{}"'), ('"{}"', "{}"), ('"{}\\"x"', '{}"x'), ('"{}\\\\x"', "{}\\x"), ("{} x", '"{} x"'),
    ],
)  # fmt: skip
def test_key_is_the_same_in_quotes(partner: Partner, one: str, another: str) -> None:
    key = str(uuid.uuid4())

    first, again = (partner.post(BODY, key=spelling.replace("{}", key)) for spelling in (one, another))

    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.content, again.headers.get("idempotent-replayed")) == (first.content, "true")


@pytest.mark.parametrize("key", ["{}", '"{}"'])
def test_key_has_255_characters_at_most(partner: Partner, key: str) -> None:
    longest = random.SystemRandom().randbytes(128).hex()[1:]

    assert partner.post(BODY, key=key.format(longest)).status_code == 202
    assert_refused(partner.post(BODY, key=key.format(f"{longest}x")), 400, "validation_error")
    assert partner.get(f"/v1/idempotency/{longest}").json()["key"] == longest


@pytest.mark.parametrize("key", ['""', '"', '"\\"', '" "', '" x'])
def test_odd_keys_are_refused_or_plain_text(partner: Partner, key: str) -> None:
    answer = partner.post(BODY, key=key)

    assert answer.status_code in {202, 400}
    if answer.status_code == 400:
        assert_refused(answer, 400, "validation_error")


@pytest.mark.parametrize("key", ["ключ".encode(), "é".encode("latin-1"), b"a\xffb", b"a\tb", b"\xe2\x80\x8b"])
def test_key_that_is_not_printable_ascii_is_refused(hub: Hub, partner: Partner, key: bytes) -> None:
    head = [
        b"POST /v1/contacts/import HTTP/1.1", b"Host: hub", b"Content-Type: application/json", b"Content-Length: 24",
        b"Authorization: Bearer " + partner.api_key.encode(), b"Idempotency-Key: " + key,
    ]  # fmt: skip

    answer = exchange(hub.plan.port, b"\r\n".join([*head, b"", b'{"phone":"+79001234567"}']), address="127.0.0.1")

    assert_refused(answer, 400, "validation_error")
    assert jobs(partner) == []


# A path with an escaped slash never passes the gateway: such keys are taken, and cannot be looked up.
@pytest.mark.parametrize("letter", sorted({chr(code) for code in range(0x20, 0x7F)} - {"/", "\\"}))
def test_key_of_printable_characters_can_be_looked_up(partner: Partner, letter: str) -> None:
    key = f"{uuid.uuid4()}{letter}x"
    accepted = partner.post(BODY, key=key)

    stored = partner.get(f"/v1/idempotency/{quote(key, safe='')}")

    assert (accepted.status_code, stored.status_code) == (202, 200), stored.text
    assert stored.json()["key"] == key
    assert stored.json()["original_response"] == accepted.json()


def test_refused_request_uses_no_key(partner: Partner) -> None:
    key = str(uuid.uuid4())

    refused = partner.post([{"phone": "x"}], key=key)

    assert refused.status_code == 400
    assert partner.get(f"/v1/idempotency/{key}").status_code == 404
    assert partner.post(BODY, key=key).status_code == 202


def test_dry_run_of_a_used_key_is_a_dry_run(partner: Partner) -> None:
    key = str(uuid.uuid4())
    first = partner.post(BODY, key=key)

    dry = partner.post([{"phone": "+79001234568"}], key=key, X_Debug="true")

    assert dry.status_code == 200
    stored = partner.get(f"/v1/idempotency/{key}").json()
    assert (stored["access_count"], stored["original_response"]) == (0, first.json())
    assert len(jobs(partner)) == 1


@pytest.mark.parametrize("word", ["1", "yes", "tru", "", "false", "true, true"])
def test_other_words_are_no_dry_run(partner: Partner, word: str) -> None:
    assert partner.post(BODY, X_Debug=word).status_code == 202


numbers = st.integers(0, 20).map(lambda number: f"8900123{number:04d}")
phones = numbers | st.sampled_from(["", "x", "+1", "8 (900) 123-45-67", "+7900", "+442079460000", "7" * 40])
contacts = st.fixed_dictionaries(
    {"phone": phones},
    optional={
        "tags": st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5), max_size=2),
        "additionalFields": st.dictionaries(st.sampled_from("ab"), st.integers() | st.none(), max_size=2),
        "unknown": st.booleans(),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=contacts | st.lists(contacts, min_size=1, max_size=30))
def test_dry_run_counts_what_the_import_counts(steady_partner: Partner, body: Any) -> None:
    key = str(uuid.uuid4())
    raw = json.dumps(body, ensure_ascii=False).encode()

    dry, real = steady_partner.post(raw, key=key, X_Debug="true"), steady_partner.post(raw, key=key)

    assert (dry.status_code, real.status_code) in {(200, 202), (400, 400)}
    told, done = dry.json(), real.json()
    if real.status_code == 400:
        assert told == done
        return
    assert "idempotent-replayed" not in real.headers
    names = ("total_contacts", "valid_contacts", "invalid_contacts", "chunks_count")
    assert [told[name] for name in names] == [done[name] for name in names]
    assert [each["is_valid"] for each in told["validation_results"]].count(True) == done["valid_contacts"]
    assert sum(chunk["size"] for chunk in told["chunks"]) == done["valid_contacts"]

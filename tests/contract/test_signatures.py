"""HMAC as documented: over the raw bytes, within five minutes, once, and with one answer to every failure."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.methods import Method, call, every_method
from tests.contract.refusals import assert_refused
from tests.fixtures.hub import dial
from tests.fixtures.partner import Partner, create_client, from_address, loopback_address

BODY = '[{"phone": "+79001234567", "tags": ["лид"], "additionalFields": {"b": 1, "a": 2.50}}]'.encode()
REFUSED = b'{"error":"unauthorized","message":"The API key or the signature is missing or not valid."}'


@dataclass(frozen=True)
class Signer:
    """A client that signs, from an address of its own: failures count against it alone."""

    key: str
    secret: str
    http: httpx.Client

    def signed(self, body: bytes = BODY, *, at: str = "") -> dict[str, str]:
        timestamp = at or datetime.now(UTC).isoformat()
        signature = hmac.new(self.secret.encode(), timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
        return {"X-Timestamp": timestamp, "X-Signature": signature}

    def post(self, signature: dict[str, str], *, body: bytes = BODY, key: str | None = "") -> httpx.Response:
        """None: without an idempotency key."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **signature}
        if key is not None:
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        return self.http.post("/v1/contacts/import", content=body, headers=headers)

    def get(self, path: str, signature: dict[str, str]) -> httpx.Response:
        return self.http.get(path, headers={"Authorization": f"Bearer {self.key}", **signature})


@pytest.fixture(scope="module")
def client(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    with create_client(hub, admin, rate=10_000, hmac=True) as partner:
        yield partner


@pytest.fixture
def signer(hub: Hub, client: Partner) -> Iterator[Signer]:
    with from_address(hub, loopback_address()) as http:
        yield Signer(client.api_key, client.hmac_secret, http)


def moment(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


@pytest.mark.parametrize(
    "spelled",
    [
        lambda at: at.isoformat(),
        lambda at: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        lambda at: at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        lambda at: at.astimezone(timezone(timedelta(hours=3))).isoformat(),
        lambda at: (at - timedelta(minutes=4, seconds=45)).isoformat(),
        lambda at: (at + timedelta(minutes=4, seconds=45)).isoformat(),
    ],
    ids=["isoformat", "toISOString", "seconds", "Moscow time", "almost five minutes ago", "in almost five minutes"],
)
def test_timestamp_within_five_minutes_opens(signer: Signer, spelled: Callable[[datetime], str]) -> None:
    timestamp = spelled(datetime.now(UTC))

    assert signer.post(signer.signed(at=timestamp)).status_code == 202


def test_signature_counts_in_capitals(signer: Signer) -> None:
    signature = signer.signed()

    assert signer.post(signature | {"X-Signature": signature["X-Signature"].upper()}).status_code == 202


def test_get_signs_the_empty_body(signer: Signer) -> None:
    key = str(uuid.uuid4())
    job_id = signer.post(signer.signed(), key=key).json()["job_id"]

    for path in (f"/v1/contacts/import/{job_id}", f"/v1/idempotency/{key}"):
        assert signer.get(path, signer.signed(b"")).status_code == 200
        assert signer.get(path, signer.signed(b"", at=moment(seconds=1))).status_code == 200
        assert signer.get(path, {}).content == REFUSED
        assert signer.get(path, signer.signed(BODY)).content == REFUSED


def test_every_failure_is_one_answer(signer: Signer) -> None:
    signature = signer.signed()
    wrong = {
        "nothing": {},
        "no signature": {"X-Timestamp": signature["X-Timestamp"]},
        "no timestamp": {"X-Signature": signature["X-Signature"]},
        "empty": {"X-Timestamp": "", "X-Signature": ""},
        "not hex": signature | {"X-Signature": "x" * 64},
        "half": signature | {"X-Signature": signature["X-Signature"][:32]},
        "base64": signature | {"X-Signature": "A" * 43 + "="},
        "other time": signature | {"X-Timestamp": moment(seconds=1)},
        "no zone": signer.signed(at=datetime.now(UTC).replace(tzinfo=None).isoformat()),
        "seconds since 1970": signer.signed(at=str(int(datetime.now(UTC).timestamp()))),
        "no time": signer.signed(at="now"),
        "too old": signer.signed(at=moment(minutes=-5, seconds=-1)),
        "too young": signer.signed(at=moment(minutes=5, seconds=15)),
        "other body": signer.signed(BODY + b" "),
        "parsed body": signer.signed(json.dumps(json.loads(BODY)).encode()),
        "empty body": signer.signed(b""),
        "other secret": replace(signer, secret="x" * 43).signed(),
        "key for a secret": replace(signer, secret=signer.key).signed(),
    }

    answers = {name: signer.post(headers) for name, headers in wrong.items()}
    answers["other key"] = replace(signer, key="nonsense").post(signature)

    assert {name: (answer.status_code, answer.content) for name, answer in answers.items()} == dict.fromkeys(
        answers, (401, REFUSED)
    )


@pytest.mark.parametrize("name", ["X-Signature", "X-Timestamp"])
def test_header_twice_is_refused(signer: Signer, name: str) -> None:
    signature = signer.signed()
    twice = [*signature.items(), (name, signature[name])]
    headers = [("Authorization", f"Bearer {signer.key}"), ("Content-Type", "application/json"), *twice]

    refused = signer.http.post("/v1/contacts/import", content=BODY, headers=[*headers, ("Idempotency-Key", "k")])

    assert (refused.status_code, refused.content) == (401, REFUSED)


def test_captured_request_passes_as_the_same_request_only(signer: Signer) -> None:
    signature, key = signer.signed(), str(uuid.uuid4())
    first = signer.post(signature, key=key)

    again, captured, without = (signer.post(signature, key=each) for each in (key, "another", None))
    spelled = signer.post(signature | {"X-Signature": signature["X-Signature"].upper()}, key="another")

    assert (first.status_code, again.status_code, again.content) == (202, 202, first.content)
    assert {(answer.status_code, answer.content) for answer in (captured, without, spelled)} == {(401, REFUSED)}


def test_refused_request_may_be_repeated_under_its_key(signer: Signer) -> None:
    body, key = b'[{"phone":"x"}]', str(uuid.uuid4())
    signature = signer.signed(body)

    answers = [signer.post(signature, body=body, key=key) for _ in range(2)]

    for answer in answers:
        assert_refused(answer, 400, "validation_error")


def test_both_secrets_sign_while_a_key_is_rotated(hub: Hub, admin: httpx.Client) -> None:
    with create_client(hub, admin, rate=1000, hmac=True) as old, from_address(hub, loopback_address()) as http:
        new = admin.post(f"/admin/v1/clients/{old.client_id}/rotate", json={"overlap": "3600s"}).json()
        keys, secrets = (old.api_key, new["api_key"]), (old.hmac_secret, new["hmac_secret"])

        answers = [signer.post(signer.signed()) for key in keys for secret in secrets
                   for signer in [Signer(key, secret, http)]]  # fmt: skip

    assert secrets[0] != secrets[1]
    assert [answer.status_code for answer in answers] == [202] * 4


def test_ended_secret_signs_no_more(hub: Hub, admin: httpx.Client) -> None:
    with create_client(hub, admin, rate=1000, hmac=True) as old, from_address(hub, loopback_address()) as http:
        new = admin.post(f"/admin/v1/clients/{old.client_id}/rotate", json={"overlap": "0s"}).json()
        signer = Signer(new["api_key"], old.hmac_secret, http)

        refused = signer.post(signer.signed())
        accepted = replace(signer, secret=new["hmac_secret"]).post(replace(signer, secret=new["hmac_secret"]).signed())

    assert (refused.status_code, refused.content, accepted.status_code) == (401, REFUSED, 202)


@pytest.mark.parametrize("method", [each for each in every_method() if each.routes], ids=lambda each: each.name)
async def test_bytes_that_are_no_message_are_no_fault_of_the_hub(hub: Hub, signer: Signer, method: Method) -> None:
    garbage = b"\xff\xff\xff\xff"
    signature = [(name.lower(), value) for name, value in signer.signed(garbage).items()]

    async with dial(hub, method.owner) as channel:
        heard = await call(channel, method, garbage, (("authorization", f"Bearer {signer.key}"), *signature))

    assert heard.status in {400, 401, 403}

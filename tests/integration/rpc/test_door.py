"""Who gets in, over the wire."""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2
from contactsync.contact.v1 import contact_pb2
from contactsync.idempotency.v1 import idempotency_service_pb2
from contactsync.ingestion.v1 import import_api_pb2, ingestion_service_pb2
from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from libs.rpc import PeerUnavailable, Scope, ServiceCaller
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import CLIENT, START, World, bearer, hear, service

BODY = HttpBody(content_type="application/json", data='[{"phone": "+79001234567", "tags": ["лид"]}]'.encode())
RELEASE = idempotency_service_pb2.ReleaseManyRequest(
    items=[idempotency_service_pb2.ReleaseItem(client_id="a", key="k", fence=1)]
)
GET_JOB = ingestion_service_pb2.GetJobRequest(job_id="j")
CREATE = access_service_pb2.CreateClientRequest(name="n")

OK, UNAUTHENTICATED, DENIED = (
    grpc.StatusCode.OK,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
)


@pytest.mark.parametrize(
    ("credentials", "codes"),
    [
        (lambda: (), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (bearer(),), (OK, DENIED, DENIED)),
        (lambda: (bearer("admin"),), (OK, DENIED, OK)),
        (lambda: (bearer("unknown"),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (("authorization", "bearer  good"),), (OK, DENIED, DENIED)),
        (lambda: (("authorization", "good"),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (("authorization", "Basic good"),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (("authorization", "Bearer "),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (("authorization", "Bearer " + "x" * 513),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (bearer(), bearer()), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (bearer(), bearer("unknown")), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (service("ingestion"),), (DENIED, OK, DENIED)),
        (lambda: (service("delivery"),), (DENIED, DENIED, DENIED)),
        (lambda: (service("ingestion", b"x" * 32),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (service("ingestion"), service("ingestion")), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (service("ingestion"), bearer()), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
        (lambda: (("x-contactsync-service", ""),), (UNAUTHENTICATED, UNAUTHENTICATED, UNAUTHENTICATED)),
    ],
)
async def test_who_gets_in_where(
    world: World,
    stubs: Stubs,
    credentials: Callable[[], tuple[tuple[str, str], ...]],
    codes: tuple[grpc.StatusCode, ...],
) -> None:
    """Codes of a method for clients, one for services, one for admins. A token lives 60 s: made when shown."""
    world.clients["admin"] = replace(CLIENT, scopes=frozenset(Scope))

    heard = [
        await hear(stubs.typed.GetJob, GET_JOB, *credentials()),
        await hear(stubs.internal.ReleaseMany, RELEASE, *credentials()),
        await hear(stubs.access.CreateClient, CREATE, *credentials()),
    ]

    assert tuple(call.code for call in heard) == codes
    assert len(world.served) == codes.count(OK)


async def test_all_failed_authentications_are_one_answer(world: World, stubs: Stubs) -> None:
    answers = [
        await hear(stubs.rest.Import, BODY, *credentials, ("x-correlation-id", "c"))
        for credentials in [(), (bearer("unknown"),), (bearer(), bearer())]
    ]

    assert {(heard.code, heard.status, heard.response.data) for heard in answers} == {
        (OK, "401", answers[0].response.data)
    }
    assert json.loads(answers[0].response.data)["error"] == "unauthorized"


async def test_open_method_needs_no_key_and_has_no_caller(stubs: Stubs) -> None:
    assert (await hear(stubs.rest.GetHealth, Empty())).response.data == b"healthy"
    assert (await hear(stubs.rest.GetReadiness, Empty())).status == "500"


async def test_caller_is_told_to_the_entrance(world: World, stubs: Stubs) -> None:
    await hear(stubs.typed.GetJob, GET_JOB, bearer())
    await hear(stubs.internal.ReleaseMany, RELEASE, service("ingestion"))

    assert world.callers == [CLIENT, ServiceCaller("ingestion")]


@pytest.mark.parametrize(
    ("network", "forwarded", "status"),
    [
        ("127.0.0.0/8", None, "200"),
        ("10.0.0.0/8", None, "403"),
        ("203.0.113.0/24", "10.0.0.1, 203.0.113.7", "200"),
        ("203.0.113.0/24", "203.0.113.7, 10.0.0.1", "403"),
        ("2001:db8::/32", "2001:db8::7", "200"),
        ("2001:db8::/32", "nonsense", "403"),
    ],
)
async def test_allowlist(world: World, stubs: Stubs, network: str, forwarded: str | None, status: str) -> None:
    world.clients["good"] = replace(CLIENT, allowed_networks=(ip_network(network),))
    metadata = [bearer()] if forwarded is None else [bearer(), ("x-forwarded-for", forwarded)]

    heard = await hear(stubs.rest.GetImport, import_api_pb2.GetImportRequest(job_id="j"), *metadata)

    assert heard.status == status


async def test_rate_is_told_and_held(world: World, stubs: Stubs) -> None:
    world.clients["good"] = replace(CLIENT, rate=2)

    heard = [await hear(stubs.rest.Import, BODY, bearer()) for _ in range(3)]
    typed = await hear(stubs.typed.GetJob, GET_JOB, bearer())
    world.seconds = 1.0
    later = await hear(stubs.rest.Import, BODY, bearer())

    assert [call.status for call in [*heard, later]] == ["202", "202", "429", "202"]
    assert [call.initial["x-ratelimit-limit"] for call in heard] == ["2", "2", "2"]
    assert [call.initial["x-ratelimit-remaining"] for call in heard] == ["1", "0", "0"]
    assert heard[2].initial["retry-after"] == "1"
    assert heard[2].initial["x-ratelimit-reset"] == "1"
    assert typed.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (typed.trailing["retry-after"], typed.trailing["x-ratelimit-limit"]) == ("1", "2")


async def test_failed_authentications_are_limited_by_address_and_known_keys_spared(world: World, stubs: Stubs) -> None:
    world.clients["other"] = CLIENT
    await hear(stubs.rest.Import, BODY, bearer())
    statuses = [(await hear(stubs.rest.Import, BODY, bearer(f"bad {n}"[:5]))).status for n in range(51)]

    unknown = await hear(stubs.rest.Import, BODY, bearer("other"))
    known = await hear(stubs.rest.Import, BODY, bearer())
    elsewhere = await hear(stubs.rest.Import, BODY, bearer("bad"), ("x-forwarded-for", "203.0.113.7"))
    world.seconds = 5.0
    later = await hear(stubs.rest.Import, BODY, bearer("other"))

    assert statuses == ["401"] * 50 + ["429"]
    assert (unknown.status, known.status, elsewhere.status, later.status) == ("429", "202", "401", "202")


def _sign(body: bytes, timestamp: str, secret: bytes = b"secret") -> list[tuple[str, str]]:
    signature = hmac.new(secret, timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    return [bearer(), ("x-timestamp", timestamp), ("x-signature", signature)]


@pytest.fixture
def signing(world: World) -> None:
    world.clients["good"] = replace(CLIENT, signs=True, secrets=(b"new", b"secret"))


@pytest.mark.usefixtures("signing")
@pytest.mark.parametrize(
    ("timestamp", "body", "secret", "status"),
    [
        (START.isoformat(), BODY.data, b"secret", "202"),
        (START.isoformat(), BODY.data, b"new", "202"),
        ("2026-01-15T12:00:00.123Z", BODY.data, b"secret", "202"),
        ("2026-01-15T12:04:59Z", BODY.data, b"secret", "202"),
        ("2026-01-15T11:55:00.000001+00:00", BODY.data, b"secret", "202"),
        ("2026-01-15T12:05:01Z", BODY.data, b"secret", "401"),
        ("2026-01-15T11:54:59Z", BODY.data, b"secret", "401"),
        ("1768478400", BODY.data, b"secret", "401"),
        (START.isoformat(), BODY.data + b" ", b"secret", "401"),
        (START.isoformat(), b"", b"secret", "401"),
        (START.isoformat(), BODY.data, b"other", "401"),
    ],
)
async def test_signature(stubs: Stubs, timestamp: str, body: bytes, secret: bytes, status: str) -> None:
    assert (await hear(stubs.rest.Import, BODY, *_sign(body, timestamp, secret))).status == status


@pytest.mark.usefixtures("signing")
async def test_unsigned_request_of_a_signing_client_is_refused_everywhere(world: World, stubs: Stubs) -> None:
    heard = [
        await hear(stubs.rest.Import, BODY, bearer()),
        await hear(stubs.rest.GetImport, import_api_pb2.GetImportRequest(job_id="j"), bearer()),
        await hear(stubs.typed.GetJob, GET_JOB, bearer()),
    ]

    assert [call.status for call in heard] == ["401"] * 3
    assert world.served == []


@pytest.mark.usefixtures("signing")
async def test_captured_request_does_not_pass_again_but_a_repeat_does(stubs: Stubs) -> None:
    signed = _sign(BODY.data, START.isoformat())

    first = await hear(stubs.rest.Import, BODY, *signed, ("idempotency-key", "k"))
    repeat = await hear(stubs.rest.Import, BODY, *signed, ("idempotency-key", "k"))
    captured = await hear(stubs.rest.Import, BODY, *signed, ("idempotency-key", "other"))
    without = await hear(stubs.rest.Import, BODY, *signed)

    assert [call.status for call in (first, repeat, captured, without)] == ["202", "202", "401", "401"]


@pytest.mark.usefixtures("signing")
async def test_reads_of_one_second_share_a_signature(stubs: Stubs) -> None:
    signed = _sign(b"", "2026-01-15T12:00:00Z")

    for job_id in ("one", "two"):
        request = import_api_pb2.GetImportRequest(job_id=job_id)
        assert (await hear(stubs.rest.GetImport, request, *signed)).response.data == job_id.encode()


def _contacts(key: str) -> Any:
    return ingestion_service_pb2.ImportContactsRequest(idempotency_key=key, contacts=[contact_pb2.Contact(phone="1")])


@pytest.mark.usefixtures("signing")
async def test_typed_request_signs_its_message(stubs: Stubs) -> None:
    signed = _sign(_contacts("k").SerializeToString(), START.isoformat())

    assert (await hear(stubs.typed.ImportContacts, _contacts("k"), *signed)).code is OK
    assert (await hear(stubs.typed.ImportContacts, _contacts("k"), *signed)).code is OK  # the key is in the message
    assert (await hear(stubs.typed.ImportContacts, _contacts("x"), *signed)).code is UNAUTHENTICATED
    unbound = _sign(b"", START.isoformat())
    assert (await hear(stubs.typed.ImportContacts, _contacts("k"), *unbound)).code is UNAUTHENTICATED


@pytest.mark.usefixtures("signing")
async def test_signing_client_cannot_stream(stubs: Stubs) -> None:
    call = stubs.typed.ImportContactStream(
        iter([]), metadata=tuple(_sign(b"", START.isoformat())), timeout=timedelta(seconds=20).total_seconds()
    )

    assert await call.code() is DENIED


async def test_without_an_answer_from_access_nobody_is_let_in(world: World, stubs: Stubs) -> None:
    async def unavailable(key: str) -> None:
        raise PeerUnavailable("AuthenticateMany", grpc.StatusCode.UNAVAILABLE)

    world.ask = unavailable

    heard = await hear(stubs.rest.Import, BODY, bearer())

    assert (heard.status, heard.initial["retry-after"], world.served) == ("503", "1", [])


async def test_repeated_idempotency_key_is_refused(stubs: Stubs) -> None:
    heard = await hear(stubs.rest.Import, BODY, bearer(), ("idempotency-key", "a"), ("idempotency-key", "a"))

    assert heard.status == "400"
    assert json.loads(heard.response.data)["details"][0]["code"] == "idempotency_key"

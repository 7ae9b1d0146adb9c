"""The webhook sender over real HTTP, against a receiver that misbehaves."""

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from opentelemetry import context, trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from libs.egress import EgressRules, Outlet, parse_networks, parse_retry_after
from libs.egress.outlet import READ_LIMIT
from services.delivery.domain.answer import Answer, AnswerClass, NoAnswer, Refused, Taken, classify
from services.delivery.domain.delivery import Chunk, ChunkId, Parcel
from services.delivery.domain.destination import Destination, DestinationId, DestinationKind, RetrySchedule
from services.delivery.domain.parts import part_id
from services.delivery.domain.success import SuccessRule
from services.delivery.sender.webhook import WebhookSender
from tests.fakes.raw import RawServer
from tests.fakes.webhook import Cut, Endless, Hang, Status, WebhookFake
from tests.unit.delivery.world import NOW, HandClock, ref

CONTACTS = '[{"phone":"+79001234567","tags":["лид"],"additionalFields":{"a":1.10}},{"phone":"+79001234568"}]'.encode()
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@pytest.fixture
async def fake() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    outlet = Outlet.open(EgressRules(parse_networks("127.0.0.0/8")))
    yield WebhookSender(outlet, clock=HandClock())
    await outlet.close()


def refused(status: int, *, retry_after: timedelta | None = None) -> Refused:
    message = f"The receiver answered {status}."
    return Refused(status=status, message=message, retry_after=retry_after, body=b"ok")


def parcel(
    url: str,
    *,
    timeout: float = 15,
    contacts: bytes = CONTACTS,
    positions: tuple[int, ...] = (),
    **settings: Any,
) -> Parcel:
    destination = Destination(
        destination_id=DestinationId("dest-hook"),
        name="hook",
        kind=DestinationKind.WEBHOOK,
        created_at=NOW,
        url=url,
        **{"secrets": (SECRET,), **settings},
        retry=RetrySchedule(timeout=timedelta(seconds=timeout)),
    )
    size = len(json.loads(contacts))
    chunk = Chunk(chunk_id=ChunkId("job.0"), client_id="default", size=size, contacts=contacts, created_at=NOW)
    return Parcel(ref=ref(positions=positions), destination=destination, chunk=chunk, started_at=NOW)


async def test_the_body_and_headers_are_those_of_the_contract(fake: WebhookFake, sender: WebhookSender) -> None:
    answer = await sender.send(parcel(fake.url))

    [arrival] = fake.arrivals
    assert answer == Taken(states=b"\x02\x02", status=200, body=b"ok")
    assert json.loads(arrival.body) == {
        "id": "job.0.dest-hook",
        "type": "contacts.upserted",
        "timestamp": "2026-03-01T12:00:00.000Z",
        "correlation_id": "corr-1",
        "contacts": json.loads(CONTACTS),
    }
    assert CONTACTS in arrival.body
    assert arrival.headers["content-type"] == "application/json"
    assert arrival.headers["webhook-id"] == arrival.headers["idempotency-key"] == "job.0.dest-hook"
    assert arrival.headers["x-correlation-id"] == "corr-1"
    assert not {"cookie", "authorization", "baggage"} & arrival.headers.keys()


async def test_the_signature_is_that_of_standard_webhooks(fake: WebhookFake, sender: WebhookSender) -> None:
    await sender.send(parcel(fake.url))

    [arrival] = fake.arrivals
    at = arrival.headers["webhook-timestamp"]
    signed = f"job.0.dest-hook.{at}.".encode() + arrival.body
    expected = base64.b64encode(hmac.new(b"k" * 32, signed, hashlib.sha256).digest()).decode()
    assert arrival.headers["webhook-signature"] == f"v1,{expected}"
    assert int(at) == NOW.timestamp()


@pytest.mark.parametrize(("idempotent", "connections"), [(True, 1), (False, 3)])
async def test_what_may_not_come_twice_goes_on_a_connection_of_its_own(
    sender: WebhookSender, *, idempotent: bool, connections: int
) -> None:
    async with RawServer() as server:
        for _ in range(3):
            await sender.send(parcel(server.url, idempotent=idempotent))

    assert server.connections == connections


async def test_while_secrets_change_each_of_them_signs(fake: WebhookFake, sender: WebhookSender) -> None:
    secrets, until = ("new-secret-of-16-bytes", "old-secret-of-16-bytes"), NOW + timedelta(hours=1)

    await sender.send(parcel(fake.url, secrets=secrets, old_secrets_until=until))
    await sender.send(parcel(fake.url, secrets=secrets, old_secrets_until=NOW))

    for arrival, signing in zip(fake.arrivals, (secrets, secrets[:1]), strict=True):
        signed = f"job.0.dest-hook.{arrival.headers['webhook-timestamp']}.".encode() + arrival.body
        digests = (hmac.new(secret.encode(), signed, hashlib.sha256).digest() for secret in signing)
        expected = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
        assert arrival.headers["webhook-signature"] == expected


async def test_own_headers_go_along_and_take_the_place_of_none_that_the_receiver_trusts(
    fake: WebhookFake, sender: WebhookSender
) -> None:
    headers = {"Authorization": "Bearer x", "Webhook-Signature": "v1,forged", "idempotency-key": "mine"}

    await sender.send(parcel(fake.url, headers=headers))

    [arrival] = fake.arrivals
    assert arrival.headers["authorization"] == "Bearer x"
    assert arrival.headers["idempotency-key"] == "job.0.dest-hook"
    assert "forged" not in arrival.headers["webhook-signature"]


async def test_each_try_sends_the_same_bytes(fake: WebhookFake, sender: WebhookSender) -> None:
    first = parcel(fake.url)

    await sender.send(first)
    await sender.send(replace(first, started_at=NOW + timedelta(hours=1)))

    assert fake.arrivals[0].body == fake.arrivals[1].body
    assert fake.arrivals[0].headers["webhook-timestamp"] != fake.arrivals[1].headers["webhook-timestamp"]
    assert fake.effects == {"job.0.dest-hook": 1}


async def test_the_trace_goes_along(fake: WebhookFake, sender: WebhookSender) -> None:
    span = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1)))
    token = context.attach(trace.set_span_in_context(span))

    await sender.send(parcel(fake.url))

    context.detach(token)
    assert fake.arrivals[0].headers["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


async def test_some_rows_of_a_chunk_are_sent_as_they_are(fake: WebhookFake, sender: WebhookSender) -> None:
    answer = await sender.send(parcel(fake.url, positions=(1,)))

    assert answer == Taken(states=b"\x02", status=200, body=b"ok")
    assert fake.arrivals[0].webhook_id == f"job.0.dest-hook.{part_id('', [1])[1:]}"
    assert fake.arrivals[0].body.endswith(b',"contacts":[{"phone":"+79001234568"}]}')


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        (b'[{"phone":"+1","deleted":true},{"phone":"+2","deleted": true}]', "contacts.deleted"),
        (b'[{"phone":"+1","deleted":true},{"phone":"+2"}]', "contacts.upserted"),
        (b'[{"phone":"+1","additionalFields":{"deleted":true}},{"phone":"+2"}]', "contacts.upserted"),
    ],
)
async def test_deletions_have_their_type(
    fake: WebhookFake, sender: WebhookSender, contacts: bytes, expected: str
) -> None:
    await sender.send(parcel(fake.url, contacts=contacts))

    assert json.loads(fake.arrivals[0].body)["type"] == expected


MATRIX: list[tuple[Status | Cut, Answer]] = [
    (Status(200, body=b""), Taken(states=b"\x02\x02", status=200)),
    (Status(201), Taken(states=b"\x02\x02", status=201, body=b"ok")),
    (Status(302, headers={"Location": "http://169.254.169.254/"}), refused(302)),
    (Status(400), refused(400)),
    (Status(429, headers={"Retry-After": "120"}), refused(429, retry_after=timedelta(minutes=2))),
    (Status(503, headers={"Retry-After": "soon"}), refused(503)),
    (Cut(), NoAnswer(message="The line was cut before an answer.", reached=True)),
]


@pytest.mark.parametrize(("behaviour", "expected"), MATRIX, ids=lambda value: type(value).__name__)
async def test_an_answer_is_told_as_it_came(
    fake: WebhookFake, sender: WebhookSender, behaviour: Status, expected: Answer
) -> None:
    fake.next.append(behaviour)

    assert await sender.send(parcel(fake.url)) == expected
    assert len(fake.arrivals) == 1


IN_A_FIELD = SuccessRule(body_field="result.status", body_equals="ok")
HTML = b"<!doctype html><title>Sign in</title>"


@pytest.mark.parametrize(
    ("rule", "behaviour", "expected"),
    [
        (IN_A_FIELD, Status(200, body=b'{"result":{"status":"ok"}}'), None),
        (IN_A_FIELD, Status(200, body=b'{"result":{"status":"error"}}'), 200),
        (IN_A_FIELD, Status(200, headers={"Content-Type": "text/html"}, body=HTML), 200),
        (SuccessRule(statuses=(202,)), Status(202), None),
        (SuccessRule(statuses=(202,)), Status(200), 200),
        (SuccessRule(statuses=(200, 409)), Status(409), None),
    ],
)
async def test_success_is_what_the_destination_says_it_is(
    fake: WebhookFake, sender: WebhookSender, rule: SuccessRule, behaviour: Status, expected: int | None
) -> None:
    fake.next.append(behaviour)

    answer = await sender.send(parcel(fake.url, success=rule))

    assert (answer.status if isinstance(answer, Refused) else None) == expected
    if isinstance(answer, Refused):
        assert classify(answer, idempotent=True) is AnswerClass.RETRY
        assert classify(answer, idempotent=False) is AnswerClass.UNKNOWN


async def test_a_receiver_that_hangs_is_left_after_the_time_out(fake: WebhookFake, sender: WebhookSender) -> None:
    fake.next.append(Hang())

    answer = await sender.send(parcel(fake.url, timeout=2))

    assert answer == NoAnswer(message="The receiver did not answer in time.", reached=True)


async def test_of_a_body_that_does_not_end_64_kib_are_read_and_the_status_stands(
    fake: WebhookFake, sender: WebhookSender
) -> None:
    fake.next.append(Endless())

    answer = await sender.send(parcel(fake.url))

    assert answer == Taken(states=b"\x02\x02", status=200, body=b"x" * READ_LIMIT)
    assert fake.written_bytes < 400 * READ_LIMIT


async def test_nobody_listens(sender: WebhookSender) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        answer = await sender.send(parcel(f"http://127.0.0.1:{taken.getsockname()[1]}/"))

    assert answer == NoAnswer(message="The receiver could not be reached.", reached=False)


async def test_a_name_that_does_not_resolve(sender: WebhookSender) -> None:
    answer = await sender.send(parcel("http://receiver.invalid/"))

    assert answer == NoAnswer(message="The receiver's name does not resolve.", reached=False)


async def test_tls_that_is_none(fake: WebhookFake, sender: WebhookSender) -> None:
    answer = await sender.send(parcel(fake.url.replace("http:", "https:")))

    assert answer == NoAnswer(message="TLS with the receiver failed.", reached=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta(0)),
        (" 120 ", timedelta(seconds=120)),
        (format_datetime(NOW + timedelta(minutes=5), usegmt=True), timedelta(minutes=5)),
        (format_datetime(NOW - timedelta(minutes=5), usegmt=True), timedelta(0)),
        ("Sunday, 01-Mar-26 12:00:30 GMT", timedelta(seconds=30)),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("9" * 20, timedelta(seconds=999_999_999)),
        ("9" * 5000, None),
        ("٣", None),
        ("soon", None),
    ],
)
def test_retry_after_is_read(text: str, expected: timedelta | None) -> None:
    assert parse_retry_after(text, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) == expected

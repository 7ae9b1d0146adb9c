"""An answer that names rows: only these are sent again, or fail."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from services.delivery.domain.answer import AnswerClass, Refused, Taken, classify
from services.delivery.domain.destination import DestinationKind
from services.delivery.sender.webhook import WebhookSender
from tests.fakes.webhook import Status, WebhookFake
from tests.integration.delivery.parcels import contact, destination, outlet, parcel, reasons, states
from tests.unit.delivery.world import HandClock

SENT = [
    contact("+79001234560"),
    contact("+79001234561") | {"external_id": "crm-1"},
    contact("+79001234562"),
    contact("+79001234560"),
]
OK, BAD, AGAIN = "created", "failed", "pending"


@pytest.fixture
async def fake() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


@pytest.fixture
async def sender() -> AsyncIterator[WebhookSender]:
    async with outlet() as opened:
        yield WebhookSender(opened, clock=HandClock())


async def answer_to(
    sender: WebhookSender, fake: WebhookFake, said: Any, *, status: int = 207, positions: tuple[int, ...] = ()
) -> object:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    fake.next.append(Status(status, headers={"Retry-After": "30"}, body=body))
    to = destination(DestinationKind.WEBHOOK, fake.url, secrets=("s" * 32,))
    return await sender.send(parcel(to, *SENT, positions=positions))


@pytest.mark.parametrize("status", [200, 207])
@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"results": []}, [OK, OK, OK, OK]),
        ({"results": [{"index": 1, "status": 422}]}, [OK, BAD, OK, OK]),
        ({"results": [{"index": 1, "status": 503}, {"index": 2, "status": 429}]}, [OK, AGAIN, AGAIN, OK]),
        ({"results": [{"index": 2, "status": "failed", "retry": True}]}, [OK, OK, AGAIN, OK]),
        ({"results": [{"external_id": "crm-1", "status": "retry"}]}, [OK, AGAIN, OK, OK]),
        ({"results": [{"phone": "+79001234560", "status": "error"}]}, [BAD, OK, OK, BAD]),
        ({"results": [{"phone": "7 900 123-45-62", "ok": False}]}, [OK, OK, BAD, OK]),
        ({"results": [{"status": each} for each in (201, 400, "updated", "retry")]}, [OK, BAD, "updated", AGAIN]),
        ({"items": [{"position": 3, "success": False, "error": {"code": "bad_phone"}}]}, [OK, OK, OK, BAD]),
        ({"failed": [{"index": 0, "error": "no"}]}, [BAD, OK, OK, OK]),
        ({"failed": [{"index": 0, "error": "no", "retry": True}, 2]}, [AGAIN, OK, BAD, OK]),
        ({"failed": ["+79001234562", "crm-1"]}, [OK, BAD, BAD, OK]),
        ({"errors": [{"index": 1, "status": "400"}]}, [OK, BAD, OK, OK]),
        ({"results": [{"externalId": "crm-1", "result": "duplicate"}]}, [OK, "unchanged", OK, OK]),
    ],
)  # fmt: skip
async def test_rows_that_are_named_have_their_state_and_the_others_were_taken(
    fake: WebhookFake, sender: WebhookSender, said: Any, expected: list[str], status: int
) -> None:
    answer = await answer_to(sender, fake, said, status=status)

    assert states(answer) == expected
    assert isinstance(answer, Taken)
    assert (answer.retry_after == timedelta(seconds=30)) is (AGAIN in expected)
    assert set(reasons(answer)) == {at for at, state in enumerate(expected) if state == BAD}


async def test_a_207_may_be_the_list_alone_and_a_200_with_a_list_is_a_yes(
    fake: WebhookFake, sender: WebhookSender
) -> None:
    said = [{"index": 2, "status": 400}]

    named, taken = await answer_to(sender, fake, said), await answer_to(sender, fake, said, status=200)

    assert states(named) == [OK, OK, BAD, OK]
    assert states(taken) == [OK] * 4


async def test_positions_count_what_was_sent(fake: WebhookFake, sender: WebhookSender) -> None:
    answer = await answer_to(sender, fake, {"failed": [{"index": 1}]}, positions=(1, 2))

    assert states(answer) == [OK, BAD]


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"<multistatus/>",
        b'{"results":[',
        b'{"results":' + b"[" * 100_000,
        {},
        {"results": "none"},
        {"results": [{"index": 4, "status": 400}]},
        {"results": [{"index": -1, "status": 400}]},
        {"results": [{"index": True, "status": 400}]},
        {"results": [{"phone": "+10000000000", "status": 400}]},
        {"results": [{"index": 0, "status": "perhaps"}]},
        {"results": [{"index": 0}]},
        {"results": [{"status": 400}]},
        {"results": ["bad"]},
        {"failed": ["+10000000000"]},
        {"results": [{"index": 0, "status": 400}], "more": "x" * 70_000},
    ],
    ids=lambda said: str(said)[:40],
)
async def test_a_207_that_cannot_be_read_is_asked_for_again_or_unknown_and_a_200_is_a_yes(
    fake: WebhookFake, sender: WebhookSender, said: Any
) -> None:
    unread, taken = await answer_to(sender, fake, said), await answer_to(sender, fake, said, status=200)

    assert isinstance(unread, Refused)
    assert classify(unread, idempotent=True) is AnswerClass.RETRY
    assert classify(unread, idempotent=False) is AnswerClass.UNKNOWN
    assert states(taken) == [OK] * 4


async def test_what_a_receiver_writes_of_a_row_is_not_told_unless_it_is_plainly_a_code(
    fake: WebhookFake, sender: WebhookSender
) -> None:
    said = {
        "failed": [
            {"index": 0, "status": 422, "error": "Иван Петров +79001234560 is blocked", "code": "invalid_phone"},
            {"index": 1, "error": "ivan@b.in"},
            {"index": 2, "error": {"code": "TOO_MANY_TAGS", "message": "Ivan"}},
            {"index": 3, "error": "Petrov"},
        ]
    }

    answer = await answer_to(sender, fake, said)

    assert reasons(answer) == {
        0: "The receiver refused this contact with 422 (invalid_phone).",
        1: "The receiver refused this contact.",
        2: "The receiver refused this contact (TOO_MANY_TAGS).",
        3: "The receiver refused this contact.",
    }
    assert "Иван" not in repr(answer)
    assert isinstance(answer, Taken)
    assert "Иван".encode() in answer.body or b"\\u0418" in answer.body

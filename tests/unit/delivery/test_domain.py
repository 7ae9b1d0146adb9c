from datetime import timedelta
from pathlib import Path

import pytest
from contactsync.ingestion.v1.job_pb2 import RowState as WireRowState

from services.delivery.domain.answer import AnswerClass, NoAnswer, Refused, RowFailure, Taken, classify
from services.delivery.domain.delivery import Chunk, Delivery, RowState, hold
from services.delivery.domain.destination import (
    RetrySchedule,
    directory,
    make_secret,
    parse_secret,
    signing_key,
)
from services.delivery.domain.errors import InvalidDestinationError
from services.delivery.domain.settling import choose_part, open_up, settle
from tests.unit.delivery.world import NOW, ref

README = Path(__file__).parents[3] / "services" / "delivery" / "README.md"


def test_row_states_have_the_numbers_of_the_contract() -> None:
    ours = {state.name: state.value for state in RowState if state is not RowState.NOT_OURS}

    theirs = {name.removeprefix("ROW_STATE_"): number for name, number in WireRowState.items() if number}

    assert ours == theirs


def test_default_retries_spread_over_28_hours_at_most() -> None:
    schedule = RetrySchedule()

    delays = [schedule.delay(tries, chance=1) for tries in range(1, schedule.max_attempts)]

    assert delays[:3] == [timedelta(seconds=5), timedelta(seconds=70), timedelta(seconds=980)]
    assert max(delays) == timedelta(hours=8)
    assert timedelta(hours=28) < sum(delays, timedelta()) < timedelta(hours=28.2)


def test_jitter_is_full() -> None:
    assert RetrySchedule().delay(3, chance=0) == timedelta(0)
    assert RetrySchedule().delay(3, chance=0.5) == timedelta(seconds=490)


def test_a_hundredth_try_overflows_nothing() -> None:
    assert RetrySchedule(max_attempts=100).delay(99, chance=1) == timedelta(hours=8)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (timedelta(seconds=1), timedelta(seconds=2.5)),
        (timedelta(minutes=7), timedelta(minutes=7)),
        (timedelta(days=9), timedelta(hours=8)),
    ],
)
def test_retry_after_is_honoured_and_clamped(asked: timedelta, waited: timedelta) -> None:
    assert RetrySchedule().delay(1, chance=0.5, retry_after=asked) == waited


CLASSES = [
    (200, "sent", "sent"),
    (204, "sent", "sent"),
    (301, "give up", "give up"),
    (400, "give up", "give up"),
    (401, "pause", "pause"),
    (402, "give up", "give up"),
    (403, "pause", "pause"),
    (404, "give up", "give up"),
    (408, "retry", "retry"),
    (410, "pause", "pause"),
    (413, "give up", "give up"),
    (422, "give up", "give up"),
    (425, "retry", "retry"),
    (429, "retry", "retry"),
    (500, "retry", "retry"),
    (502, "retry", "unknown"),
    (503, "retry", "retry"),
    (504, "retry", "unknown"),
    (599, "retry", "retry"),
]


@pytest.mark.parametrize(("status", "idempotent", "otherwise"), CLASSES)
def test_each_status_has_its_class(status: int, idempotent: str, otherwise: str) -> None:
    answer = Taken(states=b"\x02", status=status) if status < 300 else Refused(status=status, message="no")

    assert classify(answer, idempotent=True) is AnswerClass(idempotent)
    assert classify(answer, idempotent=False) is AnswerClass(otherwise)


def test_the_readme_tells_the_classes() -> None:
    table = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in README.read_text().split("## Classes of answer")[1].split("\n## ")[0].splitlines()
        if line.startswith("|")
    ]

    told = [(named(cells[0]), cells[1], cells[2]) for cells in table[2:]]

    assert len(told) == 10
    for answers, idempotent, otherwise in told:
        for answer in answers:
            assert classify(answer, idempotent=True) is AnswerClass(idempotent)
            assert classify(answer, idempotent=False) is AnswerClass(otherwise)


def named(cell: str) -> list[Taken | Refused | NoAnswer]:
    """The answers that a line of the table is about."""
    if cell.startswith("no answer"):
        return [NoAnswer(message="", reached="may have arrived" in cell)]
    if cell == "2xx":
        return [Taken(states=b"\x02", status=status) for status in (200, 204)]
    if cell.startswith("2xx"):
        return [Refused(status=status, message="") for status in (200, 207)]
    exceptions = {401, 403, 408, 410, 425, 429, 502, 504} if cell.startswith("other") else set()
    texts = cell.removeprefix("other ").split(" (")[0].split(", ")
    statuses = [range(int(text[0]) * 100, int(text[0]) * 100 + 100) if "xx" in text else [int(text)] for text in texts]
    return [Refused(status=each, message="") for group in statuses for each in group if each not in exceptions]


@pytest.mark.parametrize(
    ("reached", "idempotent", "expected"),
    [(False, True, "retry"), (False, False, "retry"), (True, True, "retry"), (True, False, "unknown")],
)
def test_no_answer_is_unknown_only_where_a_repeat_would_harm(*, reached: bool, idempotent: bool, expected: str) -> None:
    answer = NoAnswer(message="cut", reached=reached)

    assert classify(answer, idempotent=idempotent) is AnswerClass(expected)


def opened(*, positions: list[int], size: int) -> Delivery:
    chunk = Chunk(chunk_id=ref().key.chunk_id, client_id="c", size=size, contacts=b"[]", created_at=NOW)
    delivery = open_up(hold(ref(positions=positions, number=1), now=NOW), chunk, directory(now=NOW))
    return choose_part(delivery, directory(now=NOW))


def test_a_round_of_some_rows_leaves_the_others_alone() -> None:
    delivery = opened(positions=[1, 3], size=5)
    answer = Taken(states=bytes([RowState.UPDATED, RowState.FAILED]), failures=(RowFailure(position=1, reason="no"),))

    settled = settle(delivery, answer, destination=directory(now=NOW), now=NOW, chance=0)

    assert settled.states == bytes([0, RowState.UPDATED, 0, RowState.FAILED, 0])
    assert settled.failures == (RowFailure(position=3, reason="no"),)


def test_giving_up_fails_the_rows_of_the_round() -> None:
    delivery = opened(positions=[2], size=3)

    settled = settle(delivery, Refused(status=400, message="no"), destination=directory(now=NOW), now=NOW, chance=0)

    assert settled.states == bytes([0, 0, RowState.FAILED])
    assert settled.is_final


def test_a_success_that_took_no_row_says_why_the_chunk_failed() -> None:
    delivery = opened(positions=[0, 1], size=2)
    answer = Taken(states=bytes([RowState.FAILED] * 2), failures=(RowFailure(position=0, reason="no e-mail"),))

    settled = settle(delivery, answer, destination=directory(now=NOW), now=NOW, chance=0)

    assert settled.is_final
    assert settled.message == "None of the contacts was taken; each row says why."


def test_the_delivery_id_names_later_rounds() -> None:
    assert ref("j.4", "d").key.delivery_id == "j.4.d"
    assert ref("j.4", "d", number=2).key.delivery_id == "j.4.d.2"


def test_a_made_secret_signs_with_its_bytes() -> None:
    assert signing_key(make_secret(b"x" * 32)) == b"x" * 32


@pytest.mark.parametrize(("text", "key"), [("short", b"short"), ("whsec_QUFB", b"AAA")])
def test_a_secret_is_as_long_as_the_receiver_has_it(text: str, key: bytes) -> None:
    assert signing_key(parse_secret(text)) == key


@pytest.mark.parametrize("text", ["whsec_????", "whsec_QUFBQ"])
def test_a_secret_that_cannot_sign_is_refused(text: str) -> None:
    with pytest.raises(InvalidDestinationError) as refused:
        parse_secret(text)

    assert refused.value.violations[0].pointer == "/secret"
    assert text not in str(refused.value)


def test_nothing_shows_contacts_or_secrets() -> None:
    chunk = Chunk(chunk_id=ref().key.chunk_id, client_id="c", size=1, contacts=b"+7900", created_at=NOW)

    assert "7900" not in repr(chunk)

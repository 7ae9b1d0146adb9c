"""What outcomes make of a delivery, and deliveries of a job."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.ingestion.domain.client import Origin
from services.ingestion.domain.errors import Invalid
from services.ingestion.domain.ids import ChunkId, ClientId, DestinationId, JobId
from services.ingestion.domain.job import Job
from services.ingestion.domain.outcome import Delivery, DeliveryState, Outcome, RowState, merge, retry
from services.ingestion.domain.status import (
    ChunkStatus,
    Contacts,
    JobRecord,
    JobStatus,
    chunk_views,
    contacts,
    destination_counts,
    error_message,
    job_status,
)

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
P, C, N, R, F, X = (
    RowState.PENDING,
    RowState.CREATED,
    RowState.UNCHANGED,
    RowState.REJECTED,
    RowState.FAILED,
    RowState.UNKNOWN,
)


def delivery(*states: RowState, index: int = 0, to: str = "a", **given: Any) -> Delivery:
    return Delivery(
        chunk_id=ChunkId(f"job.{index}"), index=index, destination_id=DestinationId(to), states=bytes(states), **given
    )


def outcome(*states: RowState, final: bool = True, attempt: int = 1, **given: Any) -> Outcome:
    values = {"round": 0, "attempted_at": NOW, **given}
    return Outcome(
        chunk_id=ChunkId("job.0"),
        destination_id=DestinationId("a"),
        attempt_count=attempt,
        row_states=bytes(states),
        final=final,
        **values,
    )


def merged(known: Delivery, *outcomes: Outcome) -> Delivery:
    for each in outcomes:
        known = merge(known, each) or known
    return known


def test_a_try_that_will_be_repeated_leaves_the_delivery_sending() -> None:
    due = NOW + timedelta(minutes=1)

    after = merged(delivery(P, P), outcome(C, P, final=False, next_attempt_at=due, response_status_code=503))

    assert (after.state, after.states) == (DeliveryState.SENDING, bytes([C, P]))
    assert (after.next_attempt_at, after.response_status_code, after.sent_at) == (due, 503, None)


def test_a_row_that_is_done_stays_as_it_is() -> None:
    after = merged(delivery(P, P), outcome(C, P, final=False), outcome(N, F, attempt=2))

    assert after.states == bytes([C, F])


def test_an_older_try_and_another_round_change_nothing() -> None:
    known = merged(delivery(P, P), outcome(C, P, final=False, attempt=3))

    assert merge(known, outcome(F, F, attempt=2)) is None
    assert merge(known, outcome(F, F, attempt=4, round=1)) is None


def test_a_final_outcome_stays() -> None:
    known = merged(delivery(P, P), outcome(F, F))

    assert merge(known, outcome(C, C, attempt=2)) is None


def test_a_row_that_a_final_outcome_forgot_is_unknown() -> None:
    assert merged(delivery(P, P), outcome(C, P)).states == bytes([C, X])


def test_a_delivery_ends_with_its_last_row_whatever_the_outcome_calls_itself() -> None:
    ended = merge(delivery(RowState.PENDING), outcome(RowState.CREATED, final=False))

    assert ended is not None
    assert ended.state is DeliveryState.SENT
    assert ended.next_attempt_at is None


def test_an_outcome_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(Invalid):
        merge(delivery(P, P), outcome(C))


def test_a_delivery_is_sent_when_any_row_was_taken() -> None:
    assert merged(delivery(P, P), outcome(F, N)).state is DeliveryState.SENT
    assert merged(delivery(P, P), outcome(F, X)).state is DeliveryState.FAILED


def test_a_retry_takes_the_failed_rows_alone() -> None:
    known = merged(delivery(P, P, P, P), outcome(F, C, X, F, attempt=2, reasons={0: "No."}, error_message="Refused."))

    again = retry(known)

    assert again
    assert (again.round, again.positions, again.states) == (1, (0, 3), bytes([P, C, X, P]))
    assert (again.attempts, again.attempt_count, again.error_message, again.reasons) == (2, 0, "", {})
    assert retry(again) is None
    assert merged(again, outcome(C, F, C, C, round=1)).states == bytes([C, C, X, C])


def test_the_reason_of_a_row_is_its_own_or_that_of_the_try() -> None:
    known = merged(delivery(P, P, P), outcome(F, F, C, reasons={1: "No."}, error_message="Refused."))

    assert [known.reason(position) for position in range(3)] == ["Refused.", "No.", ""]


def test_of_a_row_that_waited_only_the_last_word_counts() -> None:
    waiting = outcome(C, P, final=False, reasons={0: "Left out: city.", 1: "Busy."})

    known = merged(delivery(P, P), waiting, outcome(C, C, attempt=2))

    assert [known.reason(position) for position in range(2)] == ["Left out: city.", ""]


SENT: dict[str, Any] = {"state": DeliveryState.SENT, "attempt_count": 1}
FAILED: dict[str, Any] = {"state": DeliveryState.FAILED, "attempt_count": 1, "error_message": "Refused."}
SENDING: dict[str, Any] = {"state": DeliveryState.SENDING, "attempt_count": 1}


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([delivery(P), delivery(P, index=1)], JobStatus.PENDING),
        ([delivery(P), delivery(P, index=1, **SENDING)], JobStatus.PROCESSING),
        ([delivery(C, **SENT), delivery(P, index=1)], JobStatus.PROCESSING),
        ([delivery(C, **SENT), delivery(F, index=1, **FAILED)], JobStatus.COMPLETED),
        ([delivery(F, **FAILED), delivery(F, index=1, **FAILED)], JobStatus.FAILED),
        ([delivery(F, **FAILED), delivery(C, to="b", **SENT)], JobStatus.COMPLETED),
    ],
)
def test_a_job_has_the_status_of_the_contract(deliveries: list[Delivery], status: JobStatus) -> None:
    assert job_status(deliveries) is status


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([delivery(P), delivery(C, to="b", **SENT)], ChunkStatus.PENDING),
        ([delivery(P, **SENDING), delivery(C, to="b", **SENT)], ChunkStatus.SENDING),
        ([delivery(C, sent_at=NOW, **SENT), delivery(C, to="b", sent_at=NOW, **SENT)], ChunkStatus.SENT),
        ([delivery(F, **FAILED), delivery(C, to="b", **SENT)], ChunkStatus.FAILED),
        ([delivery(F, **FAILED), delivery(P, to="b")], ChunkStatus.PENDING),
    ],
)
def test_a_chunk_has_the_status_of_all_its_destinations(deliveries: list[Delivery], status: ChunkStatus) -> None:
    assert chunk_views(deliveries)[0].status is status


def test_a_chunk_that_failed_is_told_as_a_sentence() -> None:
    views = chunk_views([delivery(C, sent_at=NOW, **SENT), delivery(F, index=1, **FAILED)])

    assert error_message(views) == "1 of 2 chunks failed: Refused."
    assert error_message(views[:1]) == ""
    assert (views[0].sent_at, views[1].sent_at, views[1].error_message) == (NOW, None, "Refused.")


def test_a_row_lost_to_one_destination_counts_as_failed() -> None:
    both = [delivery(C, F, C, P), delivery(C, C, P, P, to="b")]

    assert contacts(both) == Contacts(sent=1, failed=1)


def test_counts_at_each_destination_add_up_to_the_rows_received() -> None:
    job = Job(
        job_id=JobId("job"),
        client_id=ClientId("shop"),
        origin=Origin(),
        created_at=NOW,
        total=5,
        valid=3,
        chunks_count=2,
        destination_ids=(DestinationId("b"), DestinationId("a")),
    )
    deliveries = [delivery(C, F), delivery(P, P, to="b"), delivery(N, index=1), delivery(X, index=1, to="b")]

    counts = destination_counts(JobRecord(job, deliveries, NOW, None))

    assert counts == {"a": {C: 1, N: 1, R: 2, F: 1}, "b": {P: 2, R: 2, X: 1}}
    assert list(counts) == ["a", "b"]
    assert {sum(each.values()) for each in counts.values()} == {job.total}
    assert replace(job, valid=5).invalid == 0

"""Numbers that the domain shares with the contracts."""

from enum import IntEnum

import pytest
from contactsync.error.v1.reason_pb2 import Reason
from contactsync.ingestion.v1 import job_pb2
from contactsync.normalization.v1 import normalization_service_pb2

from services.ingestion.domain.errors import Invalid, JobNotFound, Refused, TooLarge, Unavailable
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.rows import EMAIL_SENTENCES, PHONE_SENTENCES, DecidedBy, Fault
from services.ingestion.domain.status import ChunkStatus, JobStatus


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (RowState, job_pb2.RowState, "ROW_STATE_"),
        (JobStatus, job_pb2.JobStatus, "JOB_STATUS_"),
        (ChunkStatus, job_pb2.ChunkStatus, "CHUNK_STATUS_"),
        (DecidedBy, normalization_service_pb2.DecidedBy, "DECIDED_BY_"),
        (Fault, normalization_service_pb2.Refusal, "REFUSAL_"),
    ],
)
def test_every_number_is_that_of_the_contract(ours: type[IntEnum], theirs: object, prefix: str) -> None:
    contract = {name.removeprefix(prefix): number for name, number in theirs.items() if number}  # type: ignore[attr-defined]

    assert {each.name: each.value for each in ours if each.value} == contract


def test_every_refusal_has_a_reason_of_the_contract() -> None:
    for refusal in (Refused(), Invalid(), JobNotFound(), TooLarge(message="x"), Unavailable()):
        assert f"REASON_{refusal.reason}" in Reason.DESCRIPTOR.values_by_name


def test_every_fault_has_a_sentence() -> None:
    assert {*PHONE_SENTENCES, *EMAIL_SENTENCES} == {*Fault} - {Fault.NONE}

"""What a partner may expect of the hub, as a model that is far simpler than the hub."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hypothesis import strategies as st

from services.delivery.domain.answer import Answer, NoAnswer, Refused, RowFailure, Taken
from services.ingestion.domain import errors
from tests.contract.composed import Crash
from tests.unit.idempotency.world import LIMITS

SECOND = timedelta(seconds=1)
# The same payload in two spellings, others, and one without a valid row.
BODIES = {
    "one": b'[{"phone":"89001234567","tags":[]}]',
    "one, respelled": b'[ {"tags": [], "phone": "89001234567"} ]',
    "three": b'[{"phone":"89001234561"},{"phone":"x"},{"phone":"89001234562"},{"phone":"89001234563"}]',
    "none": b'[{"phone":"x"},{"phone":""}]',
}
PAYLOADS = {"one, respelled": "one"}
ROWS = {"one": (1, 1), "three": (4, 3), "none": (2, 0)}
"""Rows, and valid ones."""
ANSWERS: dict[str, Callable[[int], Answer]] = {
    "taken": lambda size: Taken(states=b"\x02" * size),
    "first row failed": lambda size: Taken(
        states=b"\x06" + b"\x02" * (size - 1), failures=(RowFailure(position=0, reason="no"),)
    ),
    "refused": lambda _: Refused(status=400, message="no"),
    "busy": lambda _: Refused(status=503, message="busy"),
    "lost": lambda _: NoAnswer(message="lost", reached=True),
}


AT_ONCE = st.sampled_from(["", *ANSWERS])
"""How the newest ticket is answered right away; "": not yet."""


@dataclass(frozen=True)
class Asked:
    """An import: who told what comes after."""

    key: str
    body: str
    now: datetime
    crash: str
    stored: Callable[[], Sequence[str]]
    """The ids of the client's jobs."""

    @property
    def payload(self) -> str:
        return PAYLOADS.get(self.body, self.body)


@dataclass
class Used:
    """An idempotency key as the model knows it."""

    payload: str
    begun_at: datetime
    lease_until: datetime
    expires_at: datetime
    job_id: str = ""
    answered: bool = False
    answer: bytes = b""
    """What a crash kept everyone from seeing is empty."""


@dataclass
class ApiKey:
    text: str
    ends_at: datetime | None = None


@dataclass
class Shop:
    """A client as the model knows it."""

    client_id: str
    keys: list[ApiKey]
    used: dict[str, Used] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    """Payload by job id."""
    enabled: bool = True

    def judge(self, asked: Asked, told: object) -> None:
        """Whether this is what the caller had to be told: the answer's bytes, a refusal or a crash."""
        key, payload = asked.key, asked.payload
        used = self.used.get(key)
        if used is not None and used.expires_at <= asked.now:
            del self.used[key]
            used = None
        if used is not None and used.payload != payload:
            assert isinstance(told, errors.Refused)
            assert told.reason == "IDEMPOTENCY_CONFLICT"
            assert told.fields["existing_created_at"] == f"{used.begun_at:%Y-%m-%dT%H:%M:%SZ}"
        elif used is not None and used.answered:
            assert isinstance(told, bytes)
            assert told == (used.answer or told)
            used.answer = told
        elif used is not None and used.lease_until > asked.now:
            assert isinstance(told, errors.Refused)
            assert told.reason == "IDEMPOTENCY_IN_PROGRESS"
            assert told.retry_after is not None
            assert SECOND <= told.retry_after < max(used.lease_until - asked.now, SECOND) + SECOND
        else:
            self._judge_begun(asked, told)

    def _judge_begun(self, asked: Asked, told: object) -> None:
        key, payload = asked.key, asked.payload
        lease_until = asked.now + LIMITS.lease
        begun = self.used.get(key) or Used(payload, asked.now, lease_until, asked.now + LIMITS.lifetime)
        self.used[key] = replace(begun, lease_until=lease_until)
        if asked.crash == "begun":
            assert isinstance(told, Crash)
        elif not ROWS[payload][1]:
            assert isinstance(told, errors.Refused)
            assert told.reason == "VALIDATION_ERROR"
            del self.used[key]
        else:
            self._judge_stored(asked, self.used[key], told)

    def _judge_stored(self, asked: Asked, used: Used, told: object) -> None:
        if asked.crash:
            assert isinstance(told, Crash)
            used.answered = asked.crash == "completed"
            self._learn_job(asked, used)
            return
        assert isinstance(told, bytes)
        job = json.loads(told)
        assert job["job_id"] == (used.job_id or job["job_id"])
        used.answered, used.answer, used.job_id = True, told, job["job_id"]
        self.jobs[job["job_id"]] = used.payload
        assert (job["total_contacts"], job["valid_contacts"]) == ROWS[used.payload]

    def _learn_job(self, asked: Asked, used: Used) -> None:
        """A crash told nobody the id of the job that it left behind."""
        new = [job_id for job_id in asked.stored() if job_id not in self.jobs]
        assert len(new) == (0 if used.job_id else 1)
        used.job_id = used.job_id or new[0]
        self.jobs[used.job_id] = used.payload

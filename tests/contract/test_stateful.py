"""Import, retry, crash, poll, replay, expire and rotate, in any order: what a partner was told stays true."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from services.idempotency import domain as keys
from services.ingestion.domain import outcome
from tests.contract.machine import Machine

QUICK = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def run(quick: settings) -> None:
    run_state_machine_as_test(Machine, settings=quick)


def test_what_a_partner_was_told_stays_true() -> None:
    run(QUICK)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_what_a_partner_was_told_stays_true_in_a_thousand_runs() -> None:
    run(settings(QUICK, max_examples=1000, stateful_step_count=50, derandomize=False))


def _respelled(begin: Any) -> Any:
    def bug(record: Any, request: Any, terms: Any) -> Any:
        beginning, kept = begin(record, request, terms)
        if isinstance(beginning, keys.Replay):
            body = json.dumps(json.loads(beginning.answer.body)).encode()
            beginning = replace(beginning, answer=replace(beginning.answer, body=body))
        return beginning, kept

    return bug


def _another_job(begin: Any) -> Any:
    def bug(record: Any, request: Any, terms: Any) -> Any:
        if record is not None and record.answer is None:
            record = replace(record, job_id=terms.job_id)
        return begin(record, request, terms)

    return bug


def _all_rows(_: Any) -> Any:
    return lambda known, told: told.row_states


@pytest.mark.parametrize(
    ("module", "name", "planted"),
    [(keys, "begin", _respelled), (keys, "begin", _another_job), (outcome, "_merged_states", _all_rows)],
    ids=["a replay that is not the stored bytes", "a second job for one key", "counts that do not add up"],
)
def test_planted_bug_is_found(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, planted: Any) -> None:
    monkeypatch.setattr(module, name, planted(getattr(module, name)))

    with pytest.raises(AssertionError):
        run(settings(QUICK, max_examples=3000, phases=[Phase.generate], derandomize=True, print_blob=False))

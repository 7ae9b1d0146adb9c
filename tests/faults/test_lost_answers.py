"""ingestion dies after a job was accepted and before its key holds the answer."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from libs.cli.api import segment
from tests.faults.desk import Desk, desk, patient, print_figures
from tests.fixtures.ledger import Ledger, make_requests
from tests.fixtures.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 3
REQUESTS = 40
AT_ONCE = 8


def lose_answers(place: Desk, ledger: Ledger, *, name: str, first: int) -> int:
    """Kills ingestion while the answers of jobs that are on disk wait for idempotency; gives how many those were.

    Each key is sent twice at once, and both callers must get the same answer in the end. idempotency stands still
    while the jobs pile up, and dies too, or it would find the answers waiting in its socket.
    """
    requests = make_requests(name, count=REQUESTS, rows=ROWS, first=first)
    with ThreadPoolExecutor(AT_ONCE) as pool, closing(patient(place.hub.url, place.api_key)) as other:
        sent = [pool.submit(ledger.send, api, request) for request in requests for api in (place.api, other)]
        orphans = freeze_with_orphans(place, "idempotency")
        place.await_all(place.kill_all("ingestion") | place.kill_all("idempotency"))
        for future in sent:
            future.result()
    return orphans


def freeze_with_orphans(place: Desk, service: str) -> int:
    """Stops the service until jobs are on disk of which their keys know nothing; gives how many."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        place.send_signal_to_all(service, signal.SIGSTOP)
        unanswered = place.look("idempotency", "SELECT job_id FROM keys WHERE status_code IS NULL")
        jobs = place.look("ingestion", "SELECT job_id FROM jobs")
        if orphans := len(unanswered & jobs):
            return orphans
        place.send_signal_to_all(service, signal.SIGCONT)
    pytest.fail("no request was caught between accept and complete")


def run_rounds(data: Path, *, rounds: int) -> None:
    """Rounds of lost answers, then the audit."""
    ledger = Ledger()
    with desk(data) as place:
        orphans = [
            lose_answers(place, ledger, name=f"round-{number}", first=number * REQUESTS * ROWS)
            for number in range(rounds)
        ]
        drained = place.drain(ledger)
        ledger.replay(place.api)
        keys = [place.api.call("GET", f"/v1/idempotency/{segment(key)}") for key in ledger.requests]
        audit = ledger.audit(place.api)
    wrong = sum(key["job_id"] not in ledger.job_ids or key["status"] != "active" for key in keys)
    figures = {"kills": 2 * rounds, "jobs accepted and not answered": orphans, "keys without their answer": wrong}
    print_figures("ingestion killed before its answer was kept", {**figures, **asdict(audit), "drained after": drained})
    assert audit.clean, audit
    assert not wrong


def test_job_whose_answer_was_lost_is_answered_once(tmp_path: Path) -> None:
    run_rounds(tmp_path, rounds=2)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_many_jobs_whose_answers_were_lost_are_answered_once(tmp_path: Path) -> None:
    run_rounds(tmp_path, rounds=15)

"""PostgreSQL dies as in a crash, again and again, while contacts are imported, and comes back."""

import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from tests.faults.desk import Desk, desk, print_figures
from tests.faults.test_delivery_kills import batches
from tests.fixtures.databases import PostgresqlServer, own_postgresql
from tests.fixtures.ledger import Ledger, Request, make_requests
from tests.fixtures.places import put_on
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

ROWS = 100
LONGEST_SPREAD_SECONDS = 0.3
# Half a minute is right where a delivery may be slow; here it would only be waited for.
SETTINGS = {"CONTACTSYNC_OVERDUE_AFTER": "PT5S"}


def ask_meanwhile(place: Desk, server: PostgresqlServer, job_id: str) -> list[httpx.Response]:
    """What a client without patience is answered while there is no database."""
    headers = {"Authorization": f"Bearer {place.api_key}"}
    with httpx.Client(base_url=place.hub.url, headers=headers, timeout=30, trust_env=False) as http:
        new = http.post("/v1/contacts/import", json=[{"phone": "12"}], headers={"Idempotency-Key": str(uuid.uuid4())})
        return [new, http.get(f"/v1/contacts/import/{job_id}")]


def crash_under_load(
    place: Desk, server: PostgresqlServer, ledger: Ledger, requests: list[Request], *, crashes: int
) -> list[httpx.Response]:
    """As many requests at each crash; gives what was answered while the database was away."""
    answers = []
    with ThreadPoolExecutor(4) as pool:
        for batch in batches(requests, crashes):
            sent = [pool.submit(ledger.send, place.api, request) for request in batch]
            # Anywhere between the first request's first byte and the delivery of the last one's chunk.
            wait(sent, timeout=random.uniform(0, LONGEST_SPREAD_SECONDS))
            wait_for(lambda: bool(ledger.answers), what="the first answer")
            server.crash()
            answers += ask_meanwhile(place, server, next(iter(ledger.job_ids)))
            server.recover()
            for future in sent:
                future.result()
    return answers


def run_crashes(data: Path, *, crashes: int, requests: int) -> None:
    ledger = Ledger()
    with own_postgresql() as server:
        put_on(server, data)
        with desk(data, settings=SETTINGS) as place:
            batch = make_requests("crashes", count=requests, rows=ROWS)
            answers = crash_under_load(place, server, ledger, batch, crashes=crashes)
            drained = place.drain(ledger)
            healthy = wait_for(place.all_healthy, what="that all processes are healthy")
            ledger.replay(place.api)
            audit = ledger.audit(place.api)
    meanwhile = Counter((answer.status_code, "Retry-After" in answer.headers) for answer in answers)
    figures = {"crashes": crashes, "answers meanwhile": dict(meanwhile), **asdict(audit)}
    print_figures("PostgreSQL crashed under load", {**figures, "drained after": drained, "healthy after": healthy})
    assert audit.clean, audit
    assert set(meanwhile) == {(503, True)}


def test_crashes_of_postgresql_lose_and_double_nothing(tmp_path: Path) -> None:
    run_crashes(tmp_path, crashes=3, requests=24)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_crashes_of_postgresql_lose_and_double_nothing(tmp_path: Path) -> None:
    run_crashes(tmp_path, crashes=20, requests=200)

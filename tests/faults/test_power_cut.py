"""Everything is killed at once, as a power cut does it, and started again on the same data."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from libs.cli.stack.ports import choose_free
from tests.faults.desk import kill_tree, make_partner, patient, print_figures
from tests.fixtures.ledger import Ledger, make_requests
from tests.fixtures.places import UP_OPTIONS, choose_place
from tests.fixtures.waiting import wait_for

pytestmark = pytest.mark.xdist_group("hub")

COMMAND = str(Path(sys.executable).parent / "contactsync")
ROWS = 500
REQUESTS_PER_CUT = 5


@contextmanager
def up(data: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """`contactsync up` as an operator starts it, ready; killed with all that is below it when the block ends."""
    choose_place(data)
    command = [COMMAND, "up", "--data", str(data), "--port", str(port), *UP_OPTIONS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("contactsync is ready")
            yield process
        finally:
            kill_tree(process.pid)


def await_answers(ledger: Ledger, count: int) -> None:
    """Returns when so many requests were accepted: the import goes on."""
    wait_for(lambda: len(ledger.answers) >= count, what=f"acceptance of {count} requests")


def cut_power_under_load(data: Path, *, cuts: int) -> None:
    """Kills everything at once in the middle of an import by a client that retries, starts again, and audits."""
    port = choose_free(["gateway"])["gateway"]
    url = f"http://127.0.0.1:{port}"
    requests = make_requests("power-cut", count=REQUESTS_PER_CUT * (cuts + 1), rows=ROWS)
    ledger = Ledger()
    with ExitStack() as stack:
        with up(data, port):
            api = stack.enter_context(closing(patient(url, make_partner(url, data))))
            pool = stack.enter_context(ThreadPoolExecutor(4))
            sent = [pool.submit(ledger.send, api, request) for request in requests]
            await_answers(ledger, 2)
        for cut in range(1, cuts):
            with up(data, port):
                await_answers(ledger, REQUESTS_PER_CUT * cut + 2)
        with up(data, port):
            for future in sent:
                future.result()
            drained = wait_for(lambda: not ledger.unfinished(api), what="the end of every job")
            ledger.replay(api)
            audit = ledger.audit(api)
    print_figures("everything killed at once", {"kills": cuts, **asdict(audit), "drained after": drained})
    assert audit.clean, audit


def test_power_cut_loses_and_doubles_nothing(tmp_path: Path) -> None:
    cut_power_under_load(tmp_path, cuts=1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_ten_power_cuts_lose_and_double_nothing(tmp_path: Path) -> None:
    cut_power_under_load(tmp_path, cuts=10)

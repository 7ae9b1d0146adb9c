"""Programs that begin as forks of their supervisor are the processes that their commands would have been."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from supervisor.loggers import LogRecord

from libs.cli.stack.nursery import LossyLog
from libs.cli.stack.plan import Program
from libs.cli.stack.ports import choose_free
from libs.cli.stack.supervisor import Supervisor, render_supervisor_config, wait_until
from tests.fixtures.waiting import PATIENCE_SECONDS

COMMAND = (sys.executable, "-m", "services.told.main")
MAIN = """
import json, os, signal, sys
from pathlib import Path

WHICH = "first"

def main():
    place = Path(os.environ["CONTACTSYNC_PLACE"])
    facts = {
        "which": WHICH, "pid": os.getpid(), "group": os.getpgrp(), "forked": "setproctitle" in sys.modules,
        "environment": dict(os.environ), "argv": sys.argv, "files": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
        "signals": [number for number in signal.valid_signals() if callable(signal.getsignal(number))],
    }
    place.with_suffix(".new").write_text(json.dumps(facts))
    place.with_suffix(".new").rename(place)
    ending = os.environ["CONTACTSYNC_ENDING"]
    if ending == "stay":
        signal.pause()
    elif ending == "raise":
        raise LookupError("nobody caught this")
    sys.exit(int(ending) if ending.isdigit() else ending)

if __name__ == "__main__":
    main()
"""


class Nursery:
    """A supervisor of one program, and what the program said last."""

    def __init__(self, root: Path, supervisor: Supervisor) -> None:
        self.root = root
        self.supervisor = supervisor

    @property
    def main(self) -> Path:
        return self.root / "services" / "told" / "main.py"

    def start(self) -> dict[str, Any]:
        self.supervisor.start(["told"])
        return self.said()

    def said(self, holds: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
        """What the program says, once it has and it holds."""
        place = self.root / "said.json"
        found: dict[str, Any] = {}

        def look() -> bool:
            found.update(json.loads(place.read_text()) if place.exists() else {})
            return bool(found) and holds(found)

        self.waits(look, what="the program")
        return found

    def logged(self, name: str, text: str) -> None:
        """Returns once the log has the text."""
        log = self.root / "log" / f"{name}.log"
        self.waits(lambda: text in log.read_text(), what=text)

    @staticmethod
    def waits(fact: Callable[[], bool], *, what: str) -> None:
        wait_until(fact, timeout=PATIENCE_SECONDS, hopeless=str, what=what)


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A package of services of our own stands where the supervisor is started."""
    (tmp_path / "services" / "told").mkdir(parents=True)
    for folder in ("log", "run"):
        (tmp_path / folder).mkdir()
    for folder in ("services", "services/told"):
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "services" / "told" / "main.py").write_text(MAIN)
    monkeypatch.chdir(tmp_path)

    @contextmanager
    def running(ending: str = "stay", environment: Mapping[str, str] | None = None) -> Iterator[Nursery]:
        variables = {"CONTACTSYNC_PLACE": str(tmp_path / "said.json"), "CONTACTSYNC_ENDING": ending}
        program = Program("told", COMMAND, variables | dict(environment or {}))
        address = f"127.0.0.1:{choose_free(['supervisor'])['supervisor']}"
        config = tmp_path / "run" / "supervisord.conf"
        config.write_text(render_supervisor_config([program], log=tmp_path / "log", address=address, password="secret"))
        supervisor = Supervisor(config, address=address, password="secret", environment={"PYTHONUNBUFFERED": "1"})
        try:
            supervisor.launch()
            yield Nursery(tmp_path, supervisor)
        finally:
            supervisor.stop([["told"]])

    return running


def test_it_is_a_fork_that_looks_like_its_command(nursery: Callable[..., Any]) -> None:
    with nursery() as place:
        said = place.start()
        process = psutil.Process(said["pid"])

        assert said["forked"]
        assert process.ppid() == place.supervisor.pid
        assert " ".join(process.cmdline()).strip() == " ".join(COMMAND)
        assert process.name() == Path(sys.executable).name
        assert said["argv"] == [str(place.main)]


def test_it_has_nothing_of_the_supervisor_s(nursery: Callable[..., Any]) -> None:
    with nursery() as place:
        said = place.start()

    own = {name: value for name, value in said["environment"].items() if not name.startswith("SUPERVISOR_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    given = {"CONTACTSYNC_PLACE": str(place.root / "said.json"), "CONTACTSYNC_ENDING": "stay", "PYTHONUNBUFFERED": "1"}
    assert own == os.environ | {"PATH": path} | given
    assert said["files"] == [0, 1, 2]
    assert said["group"] == said["pid"]
    assert said["signals"] == [signal.SIGINT]  # Python's own, which raises KeyboardInterrupt


def test_a_full_disk_costs_lines_of_the_logs_and_nothing_else(nursery: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("log/told.log", "log/supervisor.log", "run/supervisord.stderr"):
        (tmp_path / name).symlink_to("/dev/full")

    with nursery("raise") as place:  # it says why, and supervisord that it ended
        first = place.start()
        second = place.said(lambda said: said["pid"] != first["pid"])

        assert place.supervisor.is_alive()
        assert second["pid"] != first["pid"]


def test_a_log_that_was_closed_for_want_of_room_goes_on_when_there_is_some(tmp_path: Path) -> None:
    log = LossyLog(str(tmp_path / "told.log"), "a", 1000, 1)
    log.setFormat("%(message)s\n")
    log.stream.close()

    for word in ("lost", "kept"):
        log.emit(LogRecord(20, word))
    log.close()

    assert (tmp_path / "told.log").read_text() == "kept\n"


def test_killed_one_is_started_again_and_ends_with_its_supervisor(nursery: Callable[..., Any]) -> None:
    with nursery() as place:
        first = place.start()
        os.kill(first["pid"], signal.SIGKILL)
        second = place.said(lambda said: said["pid"] != first["pid"])
        process = psutil.Process(second["pid"])
        os.kill(place.supervisor.pid, signal.SIGKILL)

        assert second["forked"]
        assert psutil.wait_procs([process], timeout=PATIENCE_SECONDS)[1] == []


def test_after_a_change_what_is_installed_is_executed(nursery: Callable[..., Any]) -> None:
    with nursery() as place:
        first = place.start()
        place.main.write_text(MAIN.replace('"first"', '"second"'))
        place.supervisor.programs.stop("told")
        place.supervisor.start(["told"])
        second = place.said(lambda said: said["pid"] != first["pid"])

    assert (first["which"], first["forked"]) == ("first", True)
    assert (second["which"], second["forked"]) == ("second", False)


def test_what_an_interpreter_reads_at_its_start_is_given_to_one(nursery: Callable[..., Any]) -> None:
    with nursery(environment={"PYTHONHASHSEED": "7"}) as place:
        said = place.start()

    assert not said["forked"]
    assert said["environment"]["PYTHONHASHSEED"] == "7"


@pytest.mark.parametrize(
    ("ending", "status", "told"), [("0", 0, ""), ("3", 3, ""), ("why not", 1, "why not"), ("raise", 1, "LookupError")]
)
def test_it_ends_as_an_interpreter_would(nursery: Callable[..., Any], ending: str, status: int, told: str) -> None:
    with nursery(ending=ending) as place:
        place.start()

        place.logged("told", told)
        place.logged("supervisor", f"exited: told (exit status {status};")


def test_refusal_is_told_and_not_tried_again(nursery: Callable[..., Any]) -> None:
    with nursery(ending=str(os.EX_CONFIG)) as place:
        place.start()

        wait_until(
            lambda: place.supervisor.refusals() == ["told"], timeout=PATIENCE_SECONDS, hopeless=str, what="the refusal"
        )

"""The hub's processes under supervisord: started in order, restarted when they crash, stopped together."""

import configparser
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

from libs.cli.stack.child import STARTED_SECONDS
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.plan import Program
from libs.cli.stack.programs import Programs

_STOP_SECONDS = 12
_ANSWERS_SECONDS = 60


def render_supervisor_config(programs: Iterable[Program], *, log: Path, address: str, password: str) -> str:
    """Supervisord's configuration. Nothing starts by itself: ``Supervisor.start`` decides the order."""
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "nodaemon": "true",
        "logfile": str(log / "supervisor.log"),
        "logfile_maxbytes": "10MB",
        "pidfile": str(log.parent / "run" / "supervisord.pid"),
        "silent": "true",
        "umask": "077",
    }
    config["inet_http_server"] = {"port": address, "username": "contactsync", "password": password}
    config["rpcinterface:supervisor"] = {
        "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
    }
    for place, program in enumerate(programs):
        # Those that `Supervisor.stop` did not: one after the other, the last first.
        config[f"program:{program.name}"] = {**_section(program, log), "priority": str(place)}
    text = io.StringIO()
    config.write(text)
    return text.getvalue()


def _section(program: Program, log: Path) -> Mapping[str, str]:
    return {
        "command": " ".join(_quoted(word) for word in program.command),
        "environment": ",".join(f"{name}={_quoted(value)}" for name, value in program.environment.items()),
        "autostart": "false",
        "autorestart": "unexpected",
        # EX_CONFIG: the process refuses to start until the operator changes something; to try again would be noise.
        "exitcodes": str(os.EX_CONFIG),
        "startsecs": str(STARTED_SECONDS),
        # The wait between tries grows by a second each time: patient, and never a storm.
        "startretries": "1000000",
        "stopsignal": "TERM",
        "stopwaitsecs": str(_STOP_SECONDS),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(log / f"{program.name}.log"),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "3",
    }


def _quoted(word: str) -> str:
    """A word as supervisord reads it: quoted, with % doubled since it expands %(name)s."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


class Supervisor:
    """A running supervisord and its processes."""

    def __init__(self, config: Path, *, address: str, password: str, environment: Mapping[str, str]) -> None:
        """``environment``: beside our own, what supervisord and its programs begin with."""
        self._config = config
        self._environment = environment
        self._complaints = config.with_suffix(".stderr")
        self.programs = Programs(address=address, password=password)
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts supervisord itself, with none of its programs. It ends when this process does, however it ends."""
        command = [sys.executable, "-m", "libs.cli.stack.child", sys.executable, "-m", "libs.cli.stack.nursery"]
        scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        with self._complaints.open("wb") as complaints:
            self._process = subprocess.Popen(  # noqa: S603 — our own interpreter and our own file
                [*command, "--configuration", str(self._config)],
                env={**os.environ, "PATH": scripts, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                start_new_session=True,
            )
        wait_until(self.programs.answers, timeout=_ANSWERS_SECONDS, hopeless=self._why_ended, what="the supervisor")

    @property
    def pid(self) -> int:
        """The process below which the whole hub runs."""
        if self._process is None:
            raise CannotStart("the supervisor was not launched", remedy="Call launch first.")
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether supervisord itself runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, names: Sequence[str]) -> None:
        """Starts programs without waiting for them."""
        self.programs.start(names)

    def processes(self) -> dict[str, dict[str, Any]]:
        """pid, statename and description of every program, by name."""
        return self.programs.states()

    def refusals(self) -> list[str]:
        """Programs that refuse to start, by name: they ended with EX_CONFIG and are not tried again."""
        return self.programs.refusals()

    def stop(self, order: Sequence[Sequence[str]]) -> None:
        """Stops programs in this order, then whatever is left and supervisord. Nothing of the hub runs afterwards."""
        if self._process is None:
            return
        with suppress(OSError, HTTPException, CannotStart):
            for names in order:
                self.programs.stop_together(names, timeout=_STOP_SECONDS)
        with self._process as process:  # closes the pipe too
            process.terminate()
            try:
                process.wait(timeout=4 * _STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def _why_ended(self) -> str:
        if self._process is None or self._process.poll() is None:
            return ""
        return self._complaints.read_text(errors="replace") or f"it ended with exit code {self._process.returncode}"


def wait_until(holds: Callable[[], bool], *, timeout: float, hopeless: Callable[[], str], what: str) -> None:
    """Returns when ``holds`` does.

    Raises CannotStart with the words of ``hopeless`` when it gives any, and after ``timeout`` seconds.
    """
    deadline = time.monotonic() + timeout
    while not holds():
        if why := hopeless():
            raise CannotStart(f"{what} cannot start", remedy=why)
        if time.monotonic() > deadline:
            log = f"log/{what.removeprefix('the ')}.log"
            raise CannotStart(f"{what} did not become ready", remedy=f"{log} in the data folder says why.")
        time.sleep(0.05)

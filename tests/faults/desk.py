"""A hub that is treated badly: its processes are killed, and it has to come back by itself."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from libs.cli.api import Api
from libs.cli.stack import readiness
from libs.cli.stack.certificates import operator_of
from libs.cli.stack.hub import Hub, running_hub
from libs.cli.stack.plan import service_of
from libs.cli.stack.shape import Shape
from tests.fixtures.ledger import Ledger
from tests.fixtures.places import choose_place, find_first, grown
from tests.fixtures.waiting import PATIENCE_SECONDS, look, wait_for


def make_partner(url: str, data: Path, **settings: Any) -> str:
    """The key of a new client that may do everything, at any rate."""
    admin = patient(url, json.loads((data / "credentials.json").read_text())["admin"]["api_key"])
    settings = {"rate": 10_000, "scopes": ["SCOPE_IMPORT", "SCOPE_READ", "SCOPE_ADMIN"], **settings}
    made = admin.call("POST", "/admin/v1/clients", body={"name": "partner", "settings": settings})
    admin.close()
    key: str = made["api_key"]
    return key


def patient(url: str, key: str) -> Api:
    """Calls that are repeated for as long as a test waits."""
    return Api(url, key, patience_s=PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Desk:
    """A running hub with a client of it."""

    hub: Hub
    api: Api
    api_key: str = field(repr=False)

    def programs(self, service: str = "") -> list[str]:
        """Those of a service (``nats``: of the bus); else all, without the console."""
        plan = self.hub.plan
        names = [*plan.nats.names, *(instance.name for instance in plan.instances()), "gateway"]
        return [name for name in names if not service or service_of(name) == service]

    def pid(self, name: str) -> int:
        """The process that the supervisor runs under a name; 0: none now."""
        pid: int = self.hub.supervisor.processes()[name]["pid"]
        return pid

    def kill(self, name: str) -> int:
        """kill -9; gives the pid that is no more."""
        return self.send_signal(name, signal.SIGKILL)

    def send_signal(self, name: str, signal_: signal.Signals) -> int:
        """Sends it to the process of that name, once there is one; gives its pid. To 0 would be to ourselves."""
        pid = look(lambda: self.pid(name) or None, what=f"a process of {name}")
        os.kill(pid, signal_)
        return pid

    def await_return(self, name: str, *, killed: int) -> float:
        """Returns when another process does the killed one's work, with the seconds that took."""
        return wait_for(lambda: self.pid(name) not in {0, killed} and self._works(name), what=f"the return of {name}")

    def kill_all(self, service: str) -> dict[str, int]:
        """kill -9 of every process of a service; gives the pids that are no more, by program."""
        return self.send_signal_to_all(service, signal.SIGKILL)

    def send_signal_to_all(self, service: str, signal_: signal.Signals) -> dict[str, int]:
        """Sends it to every process of a service; gives their pids by program."""
        return {name: self.send_signal(name, signal_) for name in self.programs(service)}

    def await_all(self, killed: Mapping[str, int]) -> float:
        """As `await_return` of each; gives the seconds of the slowest."""
        began = time.monotonic()
        for name, pid in killed.items():
            self.await_return(name, killed=pid)
        return time.monotonic() - began

    def await_settled(self, name: str) -> None:
        """Returns when the supervisor counts a process as started; killed before, each next one is longer away."""
        wait_for(lambda: self._states()[name] == "RUNNING", what=f"the start of {name}")

    def all_healthy(self) -> bool:
        """Whether every process runs and says that it can do its work."""
        states = self._states()
        return all(states[name] == "RUNNING" and self._works(name) for name in self.programs())

    def drain(self, ledger: Ledger) -> float:
        """Returns when every job is at its end, with the seconds that took."""
        return wait_for(lambda: not ledger.unfinished(self.api), what="the end of every job")

    def look(self, service: str, query: str) -> set[Any]:
        """The first column of what a query finds in a service's database."""
        data = self.hub.plan.folder.root
        if self.hub.plan.shape.postgres:
            return find_first(data, service, query)
        file = data / "db" / f"{service}.sqlite3"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return {row[0] for row in database.execute(query)}

    def _states(self) -> dict[str, str]:
        return {name: info["statename"] for name, info in self.hub.supervisor.processes().items()}

    def _works(self, name: str) -> bool:
        plan = self.hub.plan
        if name in plan.nats.names:
            return _answers(f"{plan.nats.monitors()[name]}/healthz")
        if name == "gateway":
            return _answers(f"{plan.url}/readyz")
        with readiness.Probe({name: plan.address(name)}, tls=operator_of(plan.folder, tls=plan.shape.tls)) as probe:
            return probe.serves(name)


@contextmanager
def desk(
    data: Path, *, settings: Mapping[str, str] | None = None, api_key: str = "", shape: Shape | None = None
) -> Iterator[Desk]:
    """A hub on the data folder for the time of the block, with the client of the key, or a new one."""
    choose_place(data)
    with running_hub(data, port=0, shape=grown(shape), settings=settings) as hub:
        key = api_key or make_partner(hub.url, data)
        with closing(patient(hub.url, key)) as api:
            yield Desk(hub, api, key)


def kill_tree(root: int) -> int:
    """kill -9 of a process and all below it at once; gives how many."""
    tree = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
    for process in tree:  # frozen first: nobody may restart or end another in an orderly way meanwhile
        process.suspend()
    for process in tree:
        process.kill()
    psutil.wait_procs(tree[1:], timeout=10)
    return len(tree)


def print_figures(title: str, figures: Mapping[str, Any]) -> None:
    """A small table for whoever runs with -s."""
    width = max(map(len, figures))
    print(f"\n{title}")  # noqa: T201 - the figures are the purpose
    for name, figure in figures.items():
        print(f"  {name:<{width}}  {_short(figure)}")  # noqa: T201 - as above


def _short(figure: Any) -> str:
    return f"{figure:.1f} s" if isinstance(figure, float) else str(figure)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False

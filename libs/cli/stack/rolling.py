"""Restarts the programs of a running hub in turn, so that whoever calls it meanwhile hardly notices."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from libs.cli.stack.certificates import operator_of
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import CONSOLE
from libs.cli.stack.programs import Programs
from libs.cli.stack.readiness import Probe, answers
from libs.cli.stack.supervisor import wait_until

READY_SECONDS = 120
NOTICED_SECONDS = 2.0
"""Until the others send to a replica that is back: the gateway asks every second, services connect again as soon."""
EMPTIED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Restarted:
    """A program that is back, and for how many seconds it was not."""

    name: str
    away_s: float


class RunningPrograms:
    """The programs of the hub that runs on a folder, as its run.json tells of them."""

    def __init__(self, folder: DataFolder, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._operator = operator_of(folder, tls=facts["tls"])
        password = folder.key("supervisor").read_text().strip()
        self._programs = Programs(address=facts["addresses"]["supervisor"], password=password)

    def named(self, wanted: str) -> list[str]:
        """A program, all replicas of a service, or with no name every program; those that are asked come first.

        Raises CannotStart for a name that nothing has.
        """
        running, instances = list(self._programs.states()), self._facts["instances"]
        order = [*self._facts["nats"], *instances, CONSOLE]
        names = [name for name in order if name in running] + [name for name in running if name not in order]
        of_service = [name for name in names if instances.get(name) == wanted]
        chosen = names if not wanted else of_service or [name for name in names if name == wanted]
        if not chosen:
            raise CannotStart(f"there is no program {wanted}", remedy=f"There are: {', '.join(names)}.")
        return chosen

    def restart(self, names: Sequence[str]) -> Iterator[Restarted]:
        """Stops and starts each, and goes on when it does its work again. Raises CannotStart when one does not."""
        for name in names:
            if name == "gateway":
                self._empty_gateway()
            began = time.monotonic()
            self._programs.stop(name)
            self._programs.start([name])
            wait_until(
                lambda name=name: self._works(name),  # type: ignore[misc]  # mypy cannot infer a default's type
                timeout=READY_SECONDS,
                hopeless=self._refusal,
                what=name,
            )
            yield Restarted(name, time.monotonic() - began)
            if name != names[-1]:
                time.sleep(NOTICED_SECONDS)

    def _refusal(self) -> str:
        refused = self._programs.refusals()
        return f"{refused[0]} refuses to start; its log says why." if refused else ""

    def _works(self, name: str) -> bool:
        facts = self._facts
        if name in facts["instances"]:
            with Probe({name: facts["addresses"][name]}, tls=self._operator) as probe:
                return probe.serves(name)
        urls = {
            **{server: f"{monitor}/healthz" for server, monitor in facts["nats"].items()},
            CONSOLE: f"http://{facts['addresses'][CONSOLE]}/console/healthz",
            "gateway": f"{facts['url']}/readyz",
        }
        return answers(urls[name]) if name in urls else self._programs.states()[name]["statename"] == "RUNNING"

    def _empty_gateway(self) -> None:
        """Lets callers go before it stops: it closes what they keep open, takes nobody new, and ends what goes on."""
        admin = f"http://{self._facts['addresses']['envoy_admin']}"
        with suppress(httpx.TransportError), httpx.Client(base_url=admin, trust_env=False, timeout=2) as envoy:
            envoy.post("/healthcheck/fail")
            time.sleep(1)
            envoy.post("/drain_listeners")
            _wait_while(lambda: not envoy.get("/stats", params={"filter": _ACTIVE}).text.endswith(": 0\n"))


_ACTIVE = "^http.public.downstream_rq_active$"


def _wait_while(holds: Callable[[], bool]) -> None:
    """For at most `EMPTIED_SECONDS`: streams may go on for hours."""
    until = time.monotonic() + EMPTIED_SECONDS
    while holds() and time.monotonic() < until:
        time.sleep(0.05)

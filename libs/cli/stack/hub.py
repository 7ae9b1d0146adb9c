"""Starts a whole hub on this machine, and stops it again with nothing left running."""

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from gateway.certificates import Outside, secret_file
from gateway.config import GatewaySettings, render
from libs.bus import assert_synchronous
from libs.cli.stack import readiness
from libs.cli.stack.certificates import operator_of
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder, write_private
from libs.cli.stack.plan import CONSOLE, INTERPRETER, OTHER_PORTS, Plan, Program, port_names
from libs.cli.stack.ports import choose_free, require_free
from libs.cli.stack.postgres import place_of, settle
from libs.cli.stack.shape import Shape
from libs.cli.stack.supervisor import Supervisor, render_supervisor_config, wait_until
from libs.cli.stack.traces import Tracing, render_jaeger_config

# For each replica: so many processes on the same cores take so much longer.
_READY_SECONDS = 120
_RENEW_SECONDS = 3600


class Hub:
    """A running hub."""

    def __init__(self, plan: Plan, supervisor: Supervisor) -> None:
        self.plan = plan
        self.supervisor = supervisor
        self._renew_at = time.monotonic() + _RENEW_SECONDS

    @property
    def url(self) -> str:
        """Where its REST APIs are."""
        return self.plan.url

    def renew_certificates(self) -> None:
        """Makes those anew that are near their end, once an hour; the processes find them by themselves."""
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + _RENEW_SECONDS
            with suppress(OSError):  # a full disk: they hold for days yet, and this is tried again in an hour
                self.plan.certificates.renew(datetime.now(UTC))

    def hopeless(self) -> str:
        """Why waiting any longer is in vain: what a program said before it refused to start. Empty: it is not."""
        if not self.is_alive():
            return "The supervisor ended; log/supervisor.log in the data folder says why."
        for name in self.supervisor.refusals():
            lines = (self.plan.folder.root / "log" / f"{name}.log").read_text(errors="replace").splitlines()
            return lines[-1] if lines else f"{name} says nothing; see the log folder."
        return ""

    def is_alive(self) -> bool:
        """Whether its supervisor runs; a process that crashed is restarted and does not count."""
        return self.supervisor.is_alive()


@contextmanager
def running_hub(
    data: Path,
    *,
    port: int,
    shape: Shape | None = None,
    tracing: Tracing | None = None,
    trusted_hops: int = 0,
    outside: Outside | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Hub]:
    """A hub on the data folder, ready when the block begins and stopped when it ends.

    Port 0 means any free one. ``outside`` is a listener for HTTPS too. Without ``tracing`` no trace is kept. Raises
    CannotStart with the obstacle and the remedy, and leaves nothing running.
    """
    shape, tracing = shape or Shape(), tracing or Tracing()
    folder = DataFolder(data.resolve())
    folder.prepare()
    with folder.held():
        if port:
            require_free(port)
        shape = settle(folder, shape)
        given = {port, int(outside.listen.rpartition(":")[2]) if outside else 0}
        ports = choose_free(["gateway", *port_names(shape), *tracing.port_names()], besides=given)
        plan = Plan(
            folder=folder,
            port=port or ports["gateway"],
            ports=ports,
            shape=shape,
            tracing=tracing,
            trusted_hops=trusted_hops,
            settings=settings or {},
        )
        plan.certificates.prepare(datetime.now(UTC))
        supervisor = _write_configs(plan, outside)
        hub = Hub(plan, supervisor)
        try:
            supervisor.launch()
            _start(hub)
            yield hub
        finally:
            supervisor.stop(plan.stop_order())
            folder.run_facts.unlink(missing_ok=True)


def _write_configs(plan: Plan, outside: Outside | None) -> Supervisor:
    root = plan.folder.root
    gateway = GatewaySettings(
        listen=f"127.0.0.1:{plan.port}",
        admin=plan.address("envoy_admin"),
        upstreams=plan.addresses(),
        console=plan.address(CONSOLE),
        otlp_endpoint=plan.otlp_endpoint,
        sampling=plan.tracing.sampling,
        trusted_hops=plan.trusted_hops,
        inside=plan.certificates.gateway(),
        outside=outside,
    )
    plan.gateway_config.write_text(render(gateway))
    for secured in (gateway.inside and gateway.inside.own, gateway.outside and gateway.outside.shown):
        if secured:
            write_private(secured.secret, secret_file(secured))
    if plan.tracing.jaeger:
        plan.jaeger_config.write_text(render_jaeger_config(plan.address))
    for user in plan.bus_users():
        write_private(plan.nats.password_file(user.name), user.password)
    for server in plan.nats.names:
        write_private(plan.nats_config(server), plan.nats.config(server, plan.bus_users()))
    password = plan.folder.key("supervisor").read_text().strip()
    config = root / "run" / "supervisord.conf"
    address = plan.address("supervisor")
    write_private(
        config, render_supervisor_config(plan.programs(), log=root / "log", address=address, password=password)
    )
    return Supervisor(config, address=address, password=password, environment=INTERPRETER)


def _start(hub: Hub) -> None:
    plan, patience = hub.plan, _READY_SECONDS * hub.plan.shape.replicas
    # All at once, since each waits for what it needs. The others begin while the nursery imports for the services.
    hub.supervisor.start([program.name for program in sorted(plan.programs(), key=Program.runs_python)])
    wait_until(lambda: readiness.nats_answers(plan), timeout=patience, hopeless=hub.hopeless, what="nats")
    for monitor in plan.nats.monitors().values():
        asyncio.run(assert_synchronous(monitor))
    with readiness.Probe(plan.instance_addresses(), tls=operator_of(plan.folder, tls=plan.shape.tls)) as probe:
        for name in plan.instance_addresses():
            wait_until(
                lambda name=name: probe.serves(name),  # type: ignore[misc]  # mypy cannot infer a default's type
                timeout=patience,
                hopeless=hub.hopeless,
                what=name,
            )
        differences = probe.contract_differences()
    if differences:
        raise CannotStart(
            f"the gateway's contracts differ from what the services tell: {', '.join(differences)}",
            remedy="Run python -m libs.contracts.generate, or install one version of everything.",
        )
    console = f"http://{plan.address(CONSOLE)}/console/healthz"
    wait_until(lambda: readiness.answers(console), timeout=patience, hopeless=hub.hopeless, what=CONSOLE)
    wait_until(
        lambda: readiness.answers(f"{plan.url}/readyz"), timeout=patience, hopeless=hub.hopeless, what="the gateway"
    )
    facts = {
        "url": plan.url,
        "pid": os.getpid(),
        "supervisor_pid": hub.supervisor.pid,
        "database": place_of(plan.shape.postgres) if plan.shape.postgres else "SQLite",
        "started_at": datetime.now(UTC).isoformat(),
        "nats": plan.nats.monitors(),
        "tls": plan.shape.tls,
        "instances": {instance.name: instance.service for instance in plan.instances()},
        "addresses": plan.nats.addresses()
        | plan.instance_addresses()
        | {name: plan.address(name) for name in (CONSOLE, *OTHER_PORTS, *plan.tracing.port_names())},
        "metrics": plan.metrics_urls(),
        "otlp_endpoint": plan.otlp_endpoint,
        "jaeger_url": plan.jaeger_url,
    }
    plan.folder.write_run_facts(facts)

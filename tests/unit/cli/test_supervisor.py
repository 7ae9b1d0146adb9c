"""What the hub's supervisor knows of its programs, and in which order it stops them."""

import configparser
from pathlib import Path

from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import BUS_ACCOUNTS, SERVICES, Plan, Program, port_names
from libs.cli.stack.shape import Shape
from libs.cli.stack.supervisor import render_supervisor_config


def test_who_is_used_outlives_who_uses_it() -> None:
    programs = [Program(name, (name,)) for name in ("nats", "jaeger", "ingestion", "gateway")]

    config = configparser.RawConfigParser()
    config.read_string(render_supervisor_config(programs, log=Path("/log"), address="127.0.0.1:1", password="x"))

    # Supervisord ends those with the highest number first, and waits for them.
    ends = sorted(programs, key=lambda each: -config.getint(f"program:{each.name}", "priority"))
    assert [each.name for each in ends] == ["gateway", "ingestion", "jaeger", "nats"]


def test_replicas_are_stopped_together(tmp_path: Path) -> None:
    order = _plan(tmp_path, Shape(replicas=2, nats_cluster=True)).stop_order()

    assert [names[0].partition("-")[0] for names in order] == ["gateway", "console", *reversed(SERVICES), "nats"]
    assert order[2:-1] == [[f"{service}-2", service] for service in reversed(SERVICES)]
    assert set(order[-1]) == {"nats", "nats-2", "nats-3"}


def test_a_service_is_a_fork_of_a_supervisor_that_knows_no_secret_of_others(tmp_path: Path) -> None:
    plan = _plan(tmp_path / "a ?", Shape(nats_cluster=True, tls=True))
    passwords = [plan.nats.password(account) for account in (*BUS_ACCOUNTS, "route")]
    secrets = [*passwords, *(file.read_text() for file in (plan.folder.root / "keys").iterdir())]

    told = render_supervisor_config(plan.programs(), log=tmp_path, address="127.0.0.1:1", password="its own")

    assert "CONTACTSYNC_NATS_URL" in told
    assert [secret for secret in secrets if secret in told] == []


def _plan(root: Path, shape: Shape) -> Plan:
    folder = DataFolder(root)
    folder.prepare()
    ports = {name: number for number, name in enumerate(port_names(shape), 1)}
    return Plan(folder=folder, port=0, ports=ports, shape=shape)

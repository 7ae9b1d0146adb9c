"""In which order the hub's processes are stopped."""

import configparser
from pathlib import Path

from libs.cli.stack.folder import DataFolder
from libs.cli.stack.plan import SERVICES, Plan, Program, port_names
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
    shape = Shape(replicas=2, nats_cluster=True)
    folder = DataFolder(tmp_path)
    folder.prepare()
    ports = {name: number for number, name in enumerate(port_names(shape), 1)}

    order = Plan(folder=folder, port=0, ports=ports, shape=shape).stop_order()

    assert [names[0].partition("-")[0] for names in order] == ["gateway", "console", *reversed(SERVICES), "nats"]
    assert order[2:-1] == [[f"{service}-2", service] for service in reversed(SERVICES)]
    assert set(order[-1]) == {"nats", "nats-2", "nats-3"}

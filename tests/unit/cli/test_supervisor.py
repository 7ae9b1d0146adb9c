"""In which order the hub's processes are stopped."""

import configparser
from pathlib import Path

from libs.cli.stack.plan import Program
from libs.cli.stack.supervisor import render_supervisor_config


def test_who_is_used_outlives_who_uses_it() -> None:
    programs = [Program(name, (name,)) for name in ("nats", "jaeger", "ingestion", "gateway")]

    config = configparser.RawConfigParser()
    config.read_string(render_supervisor_config(programs, log=Path("/log"), address="127.0.0.1:1", password="x"))

    # Supervisord ends those with the highest number first, and waits for them.
    ends = sorted(programs, key=lambda each: -config.getint(f"program:{each.name}", "priority"))
    assert [each.name for each in ends] == ["gateway", "ingestion", "jaeger", "nats"]

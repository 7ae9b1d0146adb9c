"""``contactsync doctor``: looks at a running hub and says what to do."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from libs.cli.api import NoHub, connect, running_hub_of
from libs.cli.doctor import entrances, keeping, machine
from libs.cli.doctor.finding import Finding
from libs.cli.doctor.processes import memory, processes
from libs.cli.doctor.work import work
from libs.cli.options import Data, Json
from libs.cli.output import out, print_json, print_table
from libs.cli.stack.folder import DataFolder

_PATIENCE_S = 4.0


def doctor(*, data: Data = None, as_json: Json = False) -> None:
    """Check the running hub; exit code 1 when something is not well."""
    folder, facts = running_hub_of(data)
    findings = list(_look(folder, facts))
    running, versions = processes(folder, facts), machine.versions()
    if as_json:
        print_json({"findings": [asdict(each) for each in findings], "processes": running, "versions": versions})
    else:
        print_table(
            ({"check": each.check, "seen": each.seen} | _judged(each) for each in findings),
            ["check", "well", "seen", "do"],
        )
        print_table(running, ["name", "pid", "memory_mb", "resident_mb", "address", "metrics"])
        out.print(versions)
    raise typer.Exit(code=not all(each.well for each in findings))


def _judged(finding: Finding) -> dict[str, str]:
    return {"well": "ok", "do": ""} if finding.well else {"well": "LOOK", "do": finding.remedy}


def _look(folder: DataFolder, facts: dict[str, Any]) -> Iterator[Finding]:
    yield entrances.readiness(str(facts["url"]))
    yield entrances.console(str(facts["url"]))
    yield from entrances.services(folder, facts)
    yield keeping.databases(folder)
    if facts["tls"]:
        yield entrances.certificates(folder)
    yield from keeping.bus(facts["nats"])
    yield entrances.metrics(facts["metrics"])
    yield machine.ports(facts)
    yield machine.disk(folder)
    yield machine.clock(folder, facts)
    yield memory(folder, facts)
    if facts["jaeger_url"]:
        yield entrances.traces(facts["jaeger_url"])
    yield from _work(folder)


def _work(folder: DataFolder) -> Iterator[Finding]:
    try:
        api = connect(folder.root, "", "", role="admin", patience_s=_PATIENCE_S)
    except NoHub as error:
        yield Finding("work", "cannot be asked for without the admin's key", str(error), well=False)
    else:
        yield from work(api)

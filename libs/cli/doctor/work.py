"""What the hub has to do, and what keeps it from doing it."""

from collections.abc import Iterator

from libs.cli.api import connect, segment
from libs.cli.doctor.finding import Finding
from libs.cli.stack.folder import DataFolder


def delivery(folder: DataFolder) -> Finding:
    """Whether what may be sent is sent."""
    health = connect(folder.root, "", "", role="admin").call("GET", "/admin/v1/delivery/health")
    tickets = health.get("tickets", "unknown")
    seen = f"{health['late']} late, {health['never_tried']} of them never tried, {tickets} tickets on the bus"
    if not health["conditions"]:
        return Finding("delivery", seen)
    remedy = "It wakes them by itself; if this stays, see delivery's log."
    return Finding("delivery", f"{', '.join(health['conditions'])}: {seen}", remedy, well=False)


def backlog(folder: DataFolder) -> Iterator[Finding]:
    """What waits for each destination."""
    api = connect(folder.root, "", "", role="admin")
    for destination in api.call("GET", "/admin/v1/destinations")["destinations"]:
        name = destination["id"]
        found = api.call("GET", f"/admin/v1/destinations/{segment(name)}")
        seen = f"{found['waiting']} waiting{', paused' if destination['paused'] else ''}"
        if oldest := found.get("oldest_waiting_at"):
            seen += f", the oldest since {oldest}"
        well = not destination["paused"] and not found["waiting"]
        yield Finding(f"destination {name}", seen, f"See contactsync destinations show {name}.", well=well)


def sources(folder: DataFolder) -> Iterator[Finding]:
    """How each source's last run went."""
    api = connect(folder.root, "", "", role="admin")
    for source in api.call("GET", "/admin/v1/sources")["sources"]:
        name = source["id"]
        found = api.call("GET", f"/admin/v1/sources/{segment(name)}/runs", page_size=1)
        status = found["runs"][0]["status"].removeprefix("RUN_STATUS_").lower() if found["runs"] else "not run yet"
        seen = f"{status}, next run {found.get('next_run_at') or 'not by schedule'}"
        remedy = f"See contactsync sources runs {name}; deletes that are held want approve-deletes."
        yield Finding(f"source {name}", seen, remedy, well=status not in {"failed", "held"})

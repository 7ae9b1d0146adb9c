"""What the hub has to do, and what keeps it from doing it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.cli.api import Api, ApiError, NoHub, segment
from libs.cli.doctor.finding import Finding

_AT_ONCE = timedelta(minutes=1)
"""What waits for less is on its way."""


def work(api: Api) -> Iterator[Finding]:
    """Deliveries, destinations and sources; of a part that does not answer, that nobody can say."""
    yield from _unless_silent("deliveries", lambda: _delivery(api))
    yield from _unless_silent("destinations", lambda: _backlog(api, datetime.now(UTC)))
    yield from _unless_silent("sources", lambda: _sources(api))


def _unless_silent(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (NoHub, ApiError) as error:
        yield Finding(check, f"cannot be asked: {error}", "Mend first what does not answer, as said above.", well=False)


def _delivery(api: Api) -> Iterator[Finding]:
    health = api.call("GET", "/admin/v1/delivery/health")
    tickets = health.get("tickets", "unknown")
    seen = f"{health['late']} late, {health['never_tried']} of them never tried, {tickets} tickets on the bus"
    if conditions := ", ".join(health["conditions"]):
        seen = f"{conditions}: {seen}"
    remedy = "It wakes them by itself; if this stays, contactsync restart delivery, and see its log."
    yield Finding("delivery", seen, remedy, well=not conditions)


def _backlog(api: Api, now: datetime) -> Iterator[Finding]:
    for destination in api.call("GET", "/admin/v1/destinations")["destinations"]:
        yield _destination(api.call("GET", f"/admin/v1/destinations/{segment(destination['id'])}"), now)


def _destination(found: dict[str, Any], now: datetime) -> Finding:
    it, waiting, health = found["destination"], found["waiting"], found["health"]
    oldest, seen = found.get("oldest_waiting_at"), [f"{waiting} waiting"]
    if oldest:
        seen.append(f"the oldest since {oldest}")
    if it["paused"]:
        seen.append(f"paused{': ' if it['pause_reason'] else ''}{it['pause_reason']}")
    if health["breaker"] != "closed":
        seen.append(f"its breaker is {health['breaker']}")
    if found["dead_letters"]:
        seen.append(f"{found['dead_letters']} dead letters")
    is_late = oldest is not None and now - datetime.fromisoformat(oldest) > _AT_ONCE
    well = not it["paused"] and health["breaker"] == "closed" and not is_late
    return Finding(f"destination {it['id']}", ", ".join(seen), _go_on(it), well=well)


def _go_on(destination: dict[str, Any]) -> str:
    name = destination["id"]
    if not destination["paused"]:
        return f"Mend the receiver: contactsync destinations show {name} has its last errors. What waits is kept."
    first = (
        f"mend it, contactsync destinations test {name}, then" if destination["pause_reason"] else "when it may go on,"
    )
    return f"What waits is kept: {first} contactsync destinations resume {name}."


def _sources(api: Api) -> Iterator[Finding]:
    for source in api.call("GET", "/admin/v1/sources")["sources"]:
        name = source["id"]
        found = api.call("GET", f"/admin/v1/sources/{segment(name)}/runs", page_size=1)
        status = found["runs"][0]["status"].removeprefix("RUN_STATUS_").lower() if found["runs"] else "not run yet"
        seen = f"{status}, next run {found.get('next_run_at') or 'not by schedule'}"
        yield Finding(f"source {name}", seen, _READ_ON.get(status, "").format(name), well=status not in _READ_ON)


_READ_ON = {
    "failed": "contactsync sources runs {0} has the reason; mend it, then contactsync sources sync {0}.",
    "held": "Look at the source: if it is right, contactsync sources approve-deletes {0}; else mend it.",
}
"""What to do of a run that ended so."""

"""``contactsync bench all``: every bench in turn, and what of the goals was reached."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from libs.cli.bench import delivery, imports, polling
from libs.cli.bench.environment import environment
from libs.cli.bench.together import growth, idle, mixed, replays, soak, syncs
from libs.cli.bench.together.checkout import Peers
from libs.cli.bench.together.forms import Form
from libs.cli.bench.together.goals import LEFT_OUT, Found, Row, judge
from libs.cli.bench.together.phones import bench_phones

_SIZES: Final = (1, 100, 1000)
_CALLERS: Final = 8
_RATE: Final = 60
_PAGE: Final = 1000

Part = Callable[[], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found."""

    document: Mapping[str, Any]
    rows: Sequence[Row]


def parts_of(form: Form, peers: Peers) -> dict[str, Part]:
    """The benches by name, in the order in which they are run."""
    rounds, seconds, importing = form.rounds, form.seconds, tuple(peers.importing)
    closed = imports.Plan(sizes=_SIZES, callers=_CALLERS, rounds=rounds, seconds=seconds, peers=importing)
    paced = imports.Plan(sizes=(1,), callers=1, rounds=rounds, seconds=2 * seconds, peers=importing, rate=_RATE)
    delivered = delivery.Plan(chunks=form.chunks, size=1, rounds=rounds, neighbour=None, peers=tuple(peers.delivering))
    polled = polling.Plan(contacts=form.polled, page_size=_PAGE, rounds=rounds, peers=tuple(peers.polling))
    monolith = next(iter(importing), "")
    return {
        "import": lambda: imports.bench_imports(closed),
        "rate": lambda: imports.bench_imports(paced),
        "replay": lambda: replays.bench_replays(replays.Plan(imports=form.imports, rounds=rounds)),
        "delivery": lambda: delivery.bench_delivery(delivered),
        "polling": lambda: polling.bench_polling(polled),
        "normalisation": lambda: bench_phones(peers.phones, texts=form.texts),
        "fsyncs": lambda: syncs.bench_syncs(syncs.Plan(rounds=rounds, seconds=seconds)),
        "idle": lambda: idle.bench_idle(idle.Plan(rounds=rounds, seconds=5 * seconds, peer=monolith)),
        "growth": lambda: growth.bench_growth(growth.Plan(large=form.stored, imports=form.imports, rounds=rounds)),
        "soak": lambda: soak.bench_soak(soak.Plan(seconds=form.soaked)),
        "mixed": lambda: mixed.bench_mixed(mixed.Plan(rounds=rounds, seconds=2 * seconds)),
    }


def run_parts(parts: Mapping[str, Part], form: Form, peers: Peers, *, tell: Callable[[str], None]) -> Report:
    """Runs them, telling of each when it begins. One that fails is left out with its reason; the next one is run."""
    began, load = datetime.now(UTC), os.getloadavg()
    found = {name: _run(name, part, peers, tell) for name, part in parts.items()}
    rows = judge(found)
    document = {
        "environment": environment(form) | {"began": began.isoformat(), "ended": datetime.now(UTC).isoformat()},
        "load_average": {"before": load, "after": os.getloadavg()},
        "skipped": peers.skipped,
        "goals": [asdict(row) for row in rows],
        "parts": found,
    }
    return Report(document, rows)


def _run(name: str, part: Part, peers: Peers, tell: Callable[[str], None]) -> Found:
    tell(name)
    try:
        found = part()
    except Exception as failure:  # noqa: BLE001 — whatever ended one bench, the others are worth their figures
        return {LEFT_OUT: " ".join(f"{type(failure).__name__}: {failure}".split())}
    return found | {"skipped": peers.skipped | found.get("skipped", {})}

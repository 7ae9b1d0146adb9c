"""What is to be reached, and what of it was: from the figures of all benches to one row for each goal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from libs.cli.bench.targets import HUB
from libs.cli.bench.together.spread import Spread, paired

Found = Mapping[str, Any]
"""What a part gave; with the key ``left_out`` it was not run, and that says why."""
LEFT_OUT: Final = "left_out"
_CPU, _RATE = "cpu_ms_per_import", "requests_per_s"


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound of one figure. ``beside`` is whose figure it is divided by; empty: it is told as it is."""

    work: str
    beside: str
    bound: float
    part: str
    read: Callable[[Found], Spread | None]
    at_least: bool = False
    unit: str = "×"


@dataclass(frozen=True, slots=True)
class Row:
    """A goal and what was measured; nothing measured: ``why`` tells the reason."""

    work: str
    beside: str
    goal: str
    bound: float
    at_least: bool
    measured: Spread | None
    met: bool | None
    why: str


def judge(parts: Mapping[str, Found]) -> list[Row]:
    """One row for each goal of these parts, in the order of the goals."""
    return [_row(goal, parts[goal.part]) for goal in GOALS if goal.part in parts]


def _row(goal: Goal, found: Found) -> Row:
    measured = None if LEFT_OUT in found else goal.read(found)
    met = None
    if measured is not None:
        met = measured.median >= goal.bound if goal.at_least else measured.median <= goal.bound
    words = f"{'≥' if goal.at_least else '≤'} {goal.bound:g}{goal.unit}"
    why = "" if measured else _why(goal, found)
    return Row(goal.work, goal.beside, words, goal.bound, goal.at_least, measured, met, why)


def _why(goal: Goal, found: Found) -> str:
    skipped: Mapping[str, str] = found.get("skipped", {})
    return str(found.get(LEFT_OUT) or skipped.get(goal.beside) or "there is no figure of it")


def _beside(theirs: str, figure: str, *, size: int | None = None) -> Callable[[Found], Spread | None]:
    """Of the samples, ours over theirs in each round."""

    def read(found: Found) -> Spread | None:
        rows = [row for row in found["samples"] if size is None or row["size"] == size]
        ours, others = ([row[figure] for row in rows if row["target"] == name] for name in (HUB, theirs))
        return paired(ours, others)

    return read


def _told(name: str) -> Callable[[Found], Spread | None]:
    """A figure that its part has reckoned already."""
    return lambda found: Spread(**found[name]) if found.get(name) else None


def _imports(size: int, *bounds: tuple[str, str, float, str]) -> Sequence[Goal]:
    return [
        Goal(f"import of {size}, {what}", theirs, bound, "import", _beside(theirs, figure, size=size), what == "rate")
        for what, theirs, bound, figure in bounds
    ]


GOALS: Final[Sequence[Goal]] = (
    *_imports(1, ("CPU", "monolith", 0.5, _CPU), ("rate", "monolith", 2, _RATE), ("CPU", "limit", 9, _CPU)),
    *_imports(100, ("CPU", "monolith", 0.35, _CPU), ("CPU", "limit", 3.5, _CPU)),
    *_imports(1000, ("CPU", "monolith", 0.35, _CPU), ("rate", "monolith", 3, _RATE), ("CPU", "limit", 2, _CPU)),
    Goal("lone imports at 60/s, CPU", "monolith", 0.9, "rate", _beside("monolith", _CPU)),
    Goal("lone imports at 60/s, p50", "monolith", 0.7, "rate", _beside("monolith", "p50_ms")),
    Goal("lone imports at 60/s, p99", "monolith", 0.7, "rate", _beside("monolith", "p99_ms")),
    Goal("replay of a stored answer, CPU", "first import", 0.25, "replay", _told("cpu_ratio")),
    Goal("delivery, CPU a chunk", "by_pgqueuer", 1, "delivery", _beside("by_pgqueuer", "cpu_ms_per_chunk")),
    Goal("delivery, CPU a chunk", "bare_loop", 4, "delivery", _beside("bare_loop", "cpu_ms_per_chunk")),
    Goal("polling, CPU a contact", "by_singer", 0.5, "polling", _beside("by_singer", "cpu_us_per_contact")),
    Goal("polling, CPU a contact", "bare", 3, "polling", _beside("bare", "cpu_us_per_contact")),
    Goal("normalisation in process, speed", "phonenumbers", 9, "normalisation", _told("times"), at_least=True),
    Goal("normalisation, answers that differ", "", 0, "normalisation", _told("differences"), unit=""),
    Goal("forced writes per import of 1, alone", "", 7, "fsyncs", _told("callers_1"), unit=""),
    Goal("forced writes per import of 1, 64 callers", "", 1, "fsyncs", _told("callers_64"), unit=""),
    Goal("idle memory (PSS)", "monolith", 7, "idle", _told("memory_ratio")),
    Goal("seconds to ready", "monolith", 4, "idle", _told("ready_ratio")),
    Goal("CPU at rest, of a core", "", 1, "idle", _told("rest_percent"), unit=" %"),
    Goal("CPU per import in a full book", "1000 stored", 1.1, "growth", _told("cpu_ratio")),
    Goal("memory at the end of a long run", "its first tenth", 1.05, "soak", _told("memory_ratio")),
    Goal("p99 of single imports beside 1000s", "alone", 3, "mixed", _told("p99_ratio")),
)

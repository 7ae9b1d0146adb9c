"""Numbers that a process counts about itself, in plain Python: a count costs a third of a microsecond, a duration one.

Whoever counts owns its instruments and gives them as `Measures`; `libs.telemetry` tells them to the world, by way of
OpenTelemetry, and only when somebody asks. Names and labels are those of OpenTelemetry's conventions. Labels are taken
from closed sets or from ids that operators gave (destinations, sources), never from contacts, jobs or requests.
"""

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import time_ns
from typing import TypeAlias, TypeVar

Labels: TypeAlias = tuple[str, ...]
"""A value for each of an instrument's labels."""
Value = TypeVar("Value")

MOST = 500
"""Combinations of labels that an instrument tells apart; what comes beyond is counted together, as OTHER."""
OTHER = "other"

LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds, for calls."""
AGES = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 36000.0)
"""Seconds, for what waits or takes long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What an instrument counts."""

    name: str
    """By OpenTelemetry's conventions: words with dots between."""
    text: str
    unit: str = ""
    """As UCUM writes it: `s`, `By`, or what is counted, in braces."""
    labels: Labels = ()


class Counter:
    """How often something happened since the process began."""

    __slots__ = ("about", "counts")

    def __init__(self, about: About) -> None:
        self.about = about
        self.counts: dict[Labels, float] = {}

    def add(self, labels: Labels = (), amount: float = 1) -> None:
        """Count so many more."""
        counts = self.counts
        if labels not in counts:
            labels = _admitted(counts, labels)
        counts[labels] = counts.get(labels, 0) + amount

    def reach(self, total: float, labels: Labels = ()) -> None:
        """Take over what somebody else counted."""
        self.counts[labels] = total


class Gauge:
    """How something stands, as it was found when it was last looked at."""

    __slots__ = ("about", "values")

    def __init__(self, about: About) -> None:
        self.about = about
        self.values: Mapping[Labels, float] = {}

    def show(self, value: float) -> None:
        """Show one value, of an instrument without labels."""
        self.values = {(): value}

    def show_all(self, values: Mapping[Labels, float]) -> None:
        """Show these, and no longer those that were there."""
        shown: dict[Labels, float] = {}
        for labels, value in values.items():
            admitted = _admitted(shown, labels)
            shown[admitted] = value if admitted is labels else max(value, shown.get(admitted, value))
        self.values = shown


@dataclass(frozen=True, slots=True)
class Example:
    """One of the values counted in a bucket, and the span in which it was measured."""

    value: float
    trace_id: int
    span_id: int
    at_ns: int


class Buckets:
    """The values of one combination of labels. The last bucket has no upper bound."""

    __slots__ = ("counts", "examples", "total")

    def __init__(self, size: int) -> None:
        self.counts = [0] * size
        self.total = 0.0
        self.examples: dict[int, Example] = {}
        """The latest of each bucket."""


class Histogram:
    """How values spread, mostly durations in seconds."""

    __slots__ = ("about", "bounds", "rows")

    def __init__(self, about: About, *, bounds: tuple[float, ...] = LATENCIES) -> None:
        """`bounds` are the upper ends of the buckets, ascending; a value on a bound is inside."""
        self.about = about
        self.bounds = bounds
        self.rows: dict[Labels, Buckets] = {}

    def record(self, value: float, labels: Labels = (), *, span: tuple[int, int] | None = None) -> None:
        """Count a value; `span` is the trace id and span id in which it was measured, when somebody keeps them."""
        row = self.rows.get(labels) or self._begin(labels)
        at = bisect_left(self.bounds, value)
        row.counts[at] += 1
        row.total += value
        if span is not None:
            row.examples[at] = Example(value, *span, time_ns())

    def _begin(self, labels: Labels) -> Buckets:
        return self.rows.setdefault(_admitted(self.rows, labels), Buckets(len(self.bounds) + 1))


Instrument: TypeAlias = Counter | Gauge | Histogram
Survey: TypeAlias = Callable[[], Awaitable[None]]
"""Looks at something, a database perhaps, and shows it on gauges. What it raises costs the numbers, nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What a part of the process tells: its instruments, and what must be looked at before they are read."""

    instruments: tuple[Instrument, ...]
    surveys: tuple[Survey, ...] = field(default=())


def _admitted(known: Mapping[Labels, Value], labels: Labels) -> Labels:
    return labels if labels in known or len(known) < MOST else (OTHER,) * len(labels)

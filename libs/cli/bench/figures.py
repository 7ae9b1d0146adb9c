"""The arithmetic of a benchmark: from samples to medians, from medians to ratios."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

Figures = Mapping[str, float]
_NOT_FIGURES = {"target", "size", "requests"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One closed loop, drained. CPU is that of all processes of the target until it is idle again."""

    target: str
    size: int
    requests: int
    requests_per_s: float
    contacts_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms_per_import: float


def make_sample(*, target: str, size: int, seconds: float, cpu_s: float, latencies_s: Sequence[float]) -> Sample:
    """From what was measured; one latency per answered request. Raises when there is none."""
    requests = len(latencies_s)
    return Sample(
        target=target,
        size=size,
        requests=requests,
        requests_per_s=round(requests / seconds, 1),
        contacts_per_s=round(requests * size / seconds, 1),
        p50_ms=round(percentile(latencies_s, 0.5) * 1000, 2),
        p99_ms=round(percentile(latencies_s, 0.99) * 1000, 2),
        cpu_ms_per_import=round(cpu_s / requests * 1000, 3),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed (nearest rank). Raises when there is none."""
    rank = -int(-share * len(values) // 1)
    return sorted(values)[max(rank, 1) - 1]


def medians(samples: Iterable[Sample]) -> dict[int, dict[str, Figures]]:
    """Of every figure over the rounds: {size: {target: {figure: median}}}."""
    rounds: dict[int, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for sample in samples:
        rounds[sample.size][sample.target].append(sample)
    return {size: {target: _medians(each) for target, each in by_target.items()} for size, by_target in rounds.items()}


def _medians(rounds: Sequence[Sample]) -> Figures:
    rows = [asdict(each) for each in rounds]
    names = [name for name in rows[0] if name not in _NOT_FIGURES]
    return {name: round(statistics.median(row[name] for row in rows), 3) for name in names}


def ratios(by_target: Mapping[str, Figures], ours: str) -> dict[str, Figures]:
    """Ours over each other target, figure by figure; what a target has at zero is left out."""
    mine = by_target[ours]
    return {
        target: {name: round(mine[name] / value, 3) for name, value in figures.items() if value}
        for target, figures in by_target.items()
        if target != ours
    }

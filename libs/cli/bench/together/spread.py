"""A figure of several rounds: its median, and how far the rounds lie apart."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one figure or ratio over the rounds."""

    median: float
    least: float
    most: float


def spread_of(values: Sequence[float]) -> Spread:
    """Raises when there is no value."""
    return Spread(*(round(value, 3) for value in (statistics.median(values), min(values), max(values))))


def paired(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """Of the rounds' ratios, each round's ours over its theirs. None when there is no pair without a zero."""
    ratios = [mine / other for mine, other in zip(ours, theirs, strict=False) if other]
    return spread_of(ratios) if ratios else None

"""How much of everything is run."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Numbers of one run of all benches.

    ``stored`` are the contacts of the full book, ``soaked`` the seconds of the long run.
    """

    rounds: int
    seconds: float
    imports: int
    chunks: int
    polled: int
    texts: int
    stored: int
    soaked: float


FULL: Final = Form(
    rounds=5, seconds=6.0, imports=2000, chunks=10_000, polled=100_000, texts=200_000, stored=1_000_000, soaked=3600.0
)
QUICK: Final = Form(
    rounds=2, seconds=2.0, imports=400, chunks=1500, polled=20_000, texts=20_000, stored=20_000, soaked=30.0
)
"""Within six minutes on two quiet cores."""

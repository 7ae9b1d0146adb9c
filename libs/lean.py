"""What a process need not hold: parts of libraries that it does not use, and what its start has left."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_OBJECTS = 10_000
"""Python's own 700 are a dozen requests: a tenth of a busy service's CPU went into looking at what was still in use."""


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """Hide optional packages from what is imported inside; one that is imported already stays to be seen."""
    hidden = [package for package in packages if package not in sys.modules]
    for package in hidden:
        sys.modules[package] = None  # type: ignore[assignment]  # the import system's own way to say: not here
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


def settle_memory() -> None:
    """What start-up made lives as long as the process: the collector need not look at it again.

    What start-up threw away goes back to the system, where the C library can give it: 3 to 6 MB of a process. From then
    on the collector runs rarely enough that what is under way at one time does not set it going.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS)
    if give_back := getattr(ctypes.CDLL(None), "malloc_trim", None):
        give_back(0)

"""Imports libraries without the parts that they take along only because somebody else had them installed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


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

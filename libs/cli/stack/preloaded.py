"""Code that was imported before anyone runs it, and whether its files are still those that were imported."""

import importlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from libs.lean import settle_memory

_Mark: TypeAlias = tuple[int, int, int]
_TASKS = Path("/proc/self/task")


class Preloaded:
    """What a process imported for those that it forks."""

    def __init__(self) -> None:
        self._modules: frozenset[str] = frozenset()
        self._marks: dict[str, _Mark | None] = {}

    def load(self, modules: Iterable[str]) -> None:
        """Imports them and what they import. One that cannot be imported is left to say why in a process of its own."""
        self._modules = frozenset(name for name in modules if _imported(name))
        self._marks = {file: _mark(file) for file in _files()}
        # The collector would write to every page, and so end the sharing.
        settle_memory()

    def has(self, module: str) -> bool:
        """Whether a fork may run it: it was imported, the files are the same, and no thread would be missing."""
        return module in self._modules and _is_alone() and self._is_current()

    def _is_current(self) -> bool:
        return all(mark == _mark(file) for file, mark in self._marks.items())


def _imported(module: str) -> bool:
    try:
        importlib.import_module(module)
    except Exception:  # noqa: BLE001 - any code may run at import
        return False
    return True


def _files() -> Iterator[str]:
    found = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return (file for file in found if file)


def _mark(file: str) -> _Mark | None:
    """Differs for a file that was written anew, in place or by another of the same name."""
    try:
        found = os.stat(file)  # noqa: PTH116 - a third of the time, and there are two thousand
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _is_alone() -> bool:
    return threading.active_count() == 1 and len(list(_TASKS.iterdir())) == 1

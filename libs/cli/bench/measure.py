"""What a tree of processes uses."""

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

Figure = TypeVar("Figure")

_QUIET_CORES = 0.03
_QUIET_SECONDS = 0.5
_FILLED_SECONDS = 3600
# Directory posts the letters that searches go by in the background, and pauses for seconds in between.
_LOOK_SECONDS, _IDLE_CORES = 4.0, 0.1
_SYNC_CALLS = ("fsync", "fdatasync", "sync_file_range", "msync")


class ProcessTree:
    """A process, or several, and all below."""

    def __init__(self, *pids: int) -> None:
        self._roots = [psutil.Process(pid) for pid in pids]

    def members(self) -> list[psutil.Process]:
        """Every process of the tree that runs now."""
        return [member for root in self._roots for member in (root, *root.children(recursive=True))]

    def cpu_seconds(self) -> float:
        """User and system time of every process of the tree since it began, those that ended among them."""
        return sum(self._of_each(lambda member: _all_of(member.cpu_times())))

    def memory_mb(self) -> int:
        """Resident memory of the tree; shared pages count in each process."""
        return sum(self._of_each(lambda member: int(member.memory_info().rss))) // 1024**2

    def shared_memory_mb(self) -> int:
        """The same with each shared page counted once among those who share it, where the system tells that."""
        held = list(self._of_each(lambda member: member.memory_full_info()))
        return sum(getattr(each, "pss", each.rss) for each in held) // 1024**2

    def _of_each(self, read: Callable[[psutil.Process], Figure]) -> Iterator[Figure]:
        """Without those that end meanwhile."""
        for member in self.members():
            with suppress(psutil.NoSuchProcess):
                yield read(member)

    def settle(self, *, at_most_s: float = 60) -> None:
        """Returns when the tree has been nearly idle for a while: what was accepted is worked off."""
        deadline = time.monotonic() + at_most_s
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(_QUIET_SECONDS)
            if self.cpu_seconds() - before < _QUIET_CORES * _QUIET_SECONDS:
                return


async def settled(tree: ProcessTree) -> None:
    """Returns when nothing is left to do, in the background neither; after an hour in any case."""
    busy, until = True, time.monotonic() + _FILLED_SECONDS
    while busy and time.monotonic() < until:
        before = tree.cpu_seconds()
        await asyncio.sleep(_LOOK_SECONDS)
        busy = tree.cpu_seconds() - before > _IDLE_CORES * _LOOK_SECONDS


def _all_of(times: Any) -> float:
    """With those that it had waited for: PostgreSQL's processes come and go, and what they used does not."""
    return float(times.user + times.system + times.children_user + times.children_system)


@contextmanager
def counted_syncs(tree: ProcessTree) -> Iterator[list[int]]:
    """Counts the calls that force data to disk while the block runs: one number, or none where strace is missing."""
    counted: list[int] = []
    strace = shutil.which("strace")
    if strace is None:
        yield counted
        return
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder) / "summary"
        pids = [option for member in tree.members() for option in ("-p", str(member.pid))]
        command = [strace, "-f", "-c", "-e", f"trace={','.join(_SYNC_CALLS)}", "-o", str(summary), *pids]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:  # noqa: S603 — strace from PATH, our pids
            _wait_attached(tracer, len(tree.members()))
            yield counted
            tracer.terminate()
        counted.append(read_calls(summary))


def _wait_attached(tracer: "subprocess.Popen[str]", processes: int) -> None:
    assert tracer.stderr is not None
    attached = 0
    while attached < processes and (line := tracer.stderr.readline()):
        attached += "attached" in line


def read_calls(summary: Path) -> int:
    """The sum of the column "calls" of strace's table."""
    rows = [line.split() for line in summary.read_text().splitlines()]
    return sum(int(row[3]) for row in rows if row and row[-1] in _SYNC_CALLS)

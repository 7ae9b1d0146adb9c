"""What processes asked of the kernel, in order, as strace writes it down."""

import re
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures.waiting import wait_for

_CALLS = "trace=pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync"
_SYNCS = frozenset({"fsync", "fdatasync"})
_LINE = re.compile(r"(?P<thread>\d+) +(?P<at>[\d.]+) (?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<name>\w+)\()(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Event:
    """A call that began, that ended, or, when nothing came between, both."""

    at: float
    thread: str
    name: str
    text: str
    """Its file and the beginning of what was written. Empty for the mere end of a call."""
    ended: bool

    @property
    def is_sync(self) -> bool:
        return self.name in _SYNCS


class Trace:
    """What one process did, from the file that strace writes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def events(self) -> Iterator[Event]:
        for line in self._file.read_text(errors="replace").splitlines():
            if found := _LINE.match(line):
                name, rest = found["resumed"] or found["name"], found["rest"]
                text = "" if found["resumed"] else rest
                yield Event(float(found["at"]), found["thread"], name, text, "<unfinished" not in rest)

    def told(self, words: str) -> int:
        """How often words (a pattern) were sent."""
        return sum(bool(re.search(words, event.text)) for event in self.events() if not event.is_sync)


class Disk:
    """What of a file is safe from a power cut, while its process goes on."""

    def __init__(self, file: str) -> None:
        """`file` is a pattern."""
        self._file = re.compile(file)
        self._syncing: dict[str, int] = {}
        self.written = 0
        self.safe = 0
        """How many of the writes a sync that began after them has brought to the disk."""

    def see(self, event: Event) -> None:
        is_ours = bool(self._file.search(event.text))
        if event.is_sync:
            if is_ours:
                self._syncing[event.thread] = self.written
            if event.ended:
                self.safe = max(self.safe, self._syncing.pop(event.thread, 0))
        elif is_ours:
            self.written += 1


def kept_promises(trace: Trace, *, file: str, words: str) -> list[bool]:
    """Of each time that the words were sent, whether something new was on disk before, and all of it safe."""
    disk, written, kept = Disk(file), 0, []
    for event in trace.events():
        disk.see(event)
        if not event.is_sync and re.search(words, event.text):
            kept.append(disk.written == disk.safe > written)
            written = disk.written
    return kept


def kept_between(trace: Trace, *, file: str, spans: Iterable[tuple[float, float]]) -> int:
    """In how many of the spans (of the wall clock) something was written and brought to the disk."""
    events = list(trace.events())
    return sum(_is_kept([each for each in events if begin <= each.at <= end], file) for begin, end in spans)


def _is_kept(events: list[Event], file: str) -> bool:
    disk = Disk(file)
    for event in events:
        disk.see(event)
    return disk.safe > 0


@contextmanager
def traced(pids: Mapping[str, int], folder: Path) -> Iterator[Mapping[str, Trace]]:
    """Traces processes for the time of the block; read it afterwards. Skips the test where that cannot be done."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: whether what is promised is on disk cannot be seen here")
    with ExitStack() as stack:
        for name, pid in pids.items():
            stack.enter_context(_attached(strace, pid, folder / f"{name}.strace"))
        yield {name: Trace(folder / f"{name}.strace") for name in pids}


@contextmanager
def _attached(strace: str, pid: int, file: Path) -> Iterator[None]:
    command = (strace, "-f", "-y", "-ttt", "-s", "400", "-e", _CALLS, "-o", str(file), "-p", str(pid))
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        said = tracer.stderr.readline()
        if "attached" not in said:
            pytest.skip(f"strace may not look into a process here: {said.strip()}")
        wait_for(lambda: _is_traced(pid), what="that every thread is traced")
        yield
        tracer.send_signal(signal.SIGINT)


def _is_traced(pid: int) -> bool:
    try:
        statuses = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:  # a thread ended meanwhile: those that are left are looked at again
        return False
    return not any("TracerPid:\t0" in status for status in statuses)

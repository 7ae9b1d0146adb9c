"""What a database counts of its writing, and how much room it takes."""

import shutil
from pathlib import Path
from time import perf_counter

from libs.measures import LATENCIES, About, Counter, Gauge, Histogram, Labels, Measures


class WritingNumbers:
    """Commits, and the units of work that shared them."""

    def __init__(self, system: str) -> None:
        """`system` is what OpenTelemetry calls the database: `sqlite`, `postgresql`."""
        commits = About(
            name="db.client.operation.duration",
            text="How long a transaction takes, from BEGIN until it is on disk.",
            unit="s",
            labels=("db.system.name", "db.operation.name"),
        )
        units = About(name="contactsync.storage.units", text="Units of work that were committed.", unit="{unit}")
        self._labels = (system, "COMMIT")
        self._commits, self._units = Histogram(commits, bounds=LATENCIES), Counter(units)
        self.measures = Measures(instruments=(self._commits, self._units))

    def committed(self, units: int, *, began: float) -> None:
        """Count a commit; `began` by `perf_counter`."""
        self._commits.record(perf_counter() - began, self._labels)
        self._units.add(amount=units)


class FileNumbers:
    """How large the files of a SQLite database are, and what is left beside them."""

    def __init__(self, path: Path) -> None:
        self._files: dict[Labels, Path] = {("main",): path, ("wal",): path.with_name(f"{path.name}-wal")}
        size = About(
            name="contactsync.storage.size",
            text="Bytes of the database's files: the main one, and the log of what is not in it yet.",
            unit="By",
            labels=("contactsync.storage.file",),
        )
        free = About(name="contactsync.storage.free", text="Bytes free on the database's disk.", unit="By")
        self._size, self._free = Gauge(size), Gauge(free)
        self.measures = Measures(instruments=(self._size, self._free), surveys=(self._look,))

    async def _look(self) -> None:
        sizes = {labels: file.stat().st_size for labels, file in self._files.items() if file.exists()}
        self._size.show_all(sizes)
        self._free.show(shutil.disk_usage(self._files["main",].parent).free)

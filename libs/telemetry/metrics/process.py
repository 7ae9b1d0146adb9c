"""What any process tells of itself, and how late its event loop is."""

import asyncio
import os
import threading
from pathlib import Path
from time import monotonic

from libs.measures import LATENCIES, About, Counter, Gauge, Histogram, Measures

_TICK_SECONDS = 1.0
_STATM = Path("/proc/self/statm")
_DESCRIPTORS = Path("/proc/self/fd")


class ProcessFacts:
    """Read from the kernel when asked; memory and descriptors where there is a /proc."""

    def __init__(self) -> None:
        self._began = monotonic()
        cpu = About(name="process.cpu.time", text="CPU used.", unit="s", labels=("cpu.mode",))
        self._cpu = Counter(cpu)
        self._uptime = Gauge(About(name="process.uptime", text="Since this process began.", unit="s"))
        self._memory = Gauge(About(name="process.memory.usage", text="Resident memory.", unit="By"))
        self._threads = Gauge(About(name="process.thread.count", text="Threads of Python.", unit="{thread}"))
        descriptors = About(name="process.open_file_descriptor.count", text="Open files and sockets.", unit="{count}")
        self._descriptors = Gauge(descriptors)
        lag = About(name="contactsync.event_loop.lag", text="How late the event loop woke a sleeper.", unit="s")
        self._lag = Histogram(lag, bounds=LATENCIES)
        self.measures = Measures(
            instruments=(self._cpu, self._uptime, self._memory, self._threads, self._descriptors, self._lag),
            surveys=(self._look,),
        )

    async def watch_loop(self) -> None:
        """Measure once a second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK_SECONDS
            await asyncio.sleep(_TICK_SECONDS)
            self._lag.record(max(0.0, loop.time() - due))

    async def _look(self) -> None:
        times = os.times()
        self._cpu.reach(times.user, ("user",))
        self._cpu.reach(times.system, ("system",))
        self._uptime.show(monotonic() - self._began)
        self._threads.show(threading.active_count())
        self._look_in_proc()

    def _look_in_proc(self) -> None:
        if _STATM.exists():
            self._memory.show(int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            self._descriptors.show(sum(1 for _ in _DESCRIPTORS.iterdir()))

"""Lines of the log on their way out."""

import asyncio
from contextvars import Context
from threading import Lock
from typing import TextIO


class LineWriter:
    """Writes lines for structlog: what is told for the record with the rest of its tick of the event loop.

    Imports that travel together are told of together, and a write costs more than all the rest of a line, here and once
    more where it is read. A warning or worse may be the last line of this process: it is written at once, behind
    what was told before it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._lock = Lock()

    def msg(self, line: str) -> None:
        """Writes it at once."""
        self._keep(line)
        self._pour()

    warning = error = critical = msg

    def info(self, line: str) -> None:
        """Writes it at the end of the tick; at once in a thread without an event loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.msg(line)
            return
        if self._keep(line) == 1:
            loop.call_soon(self._pour, context=Context())

    debug = info

    def _keep(self, line: str) -> int:
        """How many wait now."""
        with self._lock:
            self._waiting.append(line)
            return len(self._waiting)

    def _pour(self) -> None:
        with self._lock:
            lines, self._waiting = self._waiting, []
            if lines:
                self._stream.write("\n".join([*lines, ""]))
                self._stream.flush()

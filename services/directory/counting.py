"""What the contact book counts: leads of the Async API that were accepted and are not written yet."""

from collections.abc import Callable
from datetime import datetime

from libs.measures import About, Gauge, Measures
from services.directory.ports.intake import IntakeBook

MOST = 100
"""Leads that are counted: one is as good a reason to look as a thousand, and each is read whole."""


class IntakeNumbers:
    """Read from the database when asked: so they are right after a restart too."""

    def __init__(self, book: IntakeBook, *, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._clock = clock
        waiting = About(
            name="contactsync.intake.waiting",
            text=f"Accepted leads that are due and not written yet, up to {MOST}.",
            unit="{lead}",
        )
        age = About(name="contactsync.intake.age", text="Since when the oldest of them waits; 0: none does.", unit="s")
        self._waiting, self._age = Gauge(waiting), Gauge(age)
        self.measures = Measures(instruments=(self._waiting, self._age), surveys=(self._look,))

    async def _look(self) -> None:
        now = self._clock()
        found = await self._book.waiting(now=now, limit=MOST)
        self._waiting.show(len(found))
        self._age.show(max((now - each.received_at).total_seconds() for each in found) if found else 0.0)

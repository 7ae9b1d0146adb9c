"""What idempotency counts: what begins come to."""

from collections.abc import Sequence

from libs.measures import About, Counter, Measures
from services.idempotency.domain import (
    Beginning,
    Completion,
    Conflict,
    InProgress,
    Release,
    Replay,
    Request,
    Started,
    Terms,
)
from services.idempotency.ports import Keys

_OUTCOMES: dict[type[Beginning], tuple[str]] = {
    Started: ("started",),
    Replay: ("replay",),
    Conflict: ("conflict",),
    InProgress: ("in_progress",),
}


class CountedKeys(Keys):
    """Counts what was decided, once it is on disk."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        begins = About(
            name="contactsync.idempotency.begins",
            text="Requests by what their key came to: started, replay, conflict, in_progress.",
            unit="{request}",
            labels=("contactsync.outcome",),
        )
        self._begins = Counter(begins)
        self.measures = Measures(instruments=(self._begins,))

    async def begin(self, asked: Sequence[tuple[Request, Terms]]) -> list[Beginning]:
        """Counts each."""
        beginnings = await self._keys.begin(asked)
        for beginning in beginnings:
            self._begins.add(_OUTCOMES[type(beginning)])
        return beginnings

    async def complete(self, completions: Sequence[Completion]) -> list[bool]:
        """Whether each key now holds an answer, in the order asked."""
        return await self._keys.complete(completions)

    async def release(self, releases: Sequence[Release]) -> list[bool]:
        """Whether each key was freed by this call, in the order asked."""
        return await self._keys.release(releases)

"""Micro-batched calls: what queued while calls were in flight goes in the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from datetime import timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class BatchMismatch(Exception):
    """A send answered with another number of results than it got items."""

    def __init__(self, items: int, results: int) -> None:
        super().__init__(items, results)
        self.items = items
        self.results = results


class Batch(Generic[Item, Result]):
    """Turns single questions into few calls: an idle batch asks at once.

    `send` gets items in the order asked and answers with one result each, in that order. It runs outside of any
    request: without its deadline, caller, correlation id and trace, which belong into the items.
    """

    def __init__(
        self,
        send: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        limit: int = 256,
        in_flight: int = 2,
        weigh: Callable[[Item], int] | None = None,
        max_weight: int = 10_000,
        rest: timedelta = timedelta(0),
    ) -> None:
        """`limit` bounds the items of a call, `max_weight` the sum of their weights; a heavier item goes alone.

        After a call the next one gathers for as long as that took, `rest` at most: a call costs as much as many items.
        """
        self._send = send
        self._limit = limit
        self._in_flight = in_flight
        self._weigh = weigh
        self._max_weight = max_weight
        self._rest = rest.total_seconds()
        self._queue: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._senders: set[asyncio.Task[None]] = set()
        self._sending = 0
        self._waking = False

    async def ask(self, item: Item) -> Result:
        """The result of one item.

        Raises what its send raised. Cancelling it leaves the items that went with it alone.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append((item, future))
        self._wake()
        return await future

    def _wake(self) -> None:
        # A sender that has not run yet will take this item too: two items of one tick are one call, not two.
        if self._waking or self._sending >= self._in_flight:
            return
        self._waking = True
        # An empty context: the asker's deadline and trace are not those of the items that go with it.
        sender = asyncio.get_running_loop().create_task(self._send_queued(), context=Context())
        self._senders.add(sender)
        sender.add_done_callback(self._senders.discard)

    async def _send_queued(self) -> None:
        self._waking = False
        # Counted here and not by the tasks that exist: one that found nothing is still there for a tick, in which an
        # item could come that nobody takes.
        self._sending += 1
        try:
            while taken := self._take():
                if self._queue:
                    self._wake()
                began = asyncio.get_running_loop().time()
                await self._settle(taken)
                await self._gather(took=asyncio.get_running_loop().time() - began)
        finally:
            self._sending -= 1

    async def _gather(self, *, took: float) -> None:
        if self._rest and len(self._queue) < self._limit:
            await asyncio.sleep(min(took, self._rest))

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next items, cancelled ones left out. Empty: nothing waits."""
        taken: list[tuple[Item, asyncio.Future[Result]]] = []
        weight = 0
        while self._queue and len(taken) < self._limit:
            item, future = self._queue[0]
            weight += self._weigh(item) if self._weigh else 0
            if taken and weight > self._max_weight:
                break
            self._queue.popleft()
            if not future.done():
                taken.append((item, future))
        return taken

    async def _settle(self, taken: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = _matched(taken, await self._send([item for item, _ in taken]))
        except asyncio.CancelledError:
            for _, future in taken:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed belongs to the askers, each of whom raises it
            for _, future in taken:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), result in zip(taken, results, strict=True):
                if not future.done():
                    future.set_result(result)


def _matched(items: Sequence[object], results: Sequence[Result]) -> Sequence[Result]:
    if len(results) != len(items):
        raise BatchMismatch(len(items), len(results))
    return results

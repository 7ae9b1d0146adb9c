"""A partner that asks once more, when it is told to, and no more often."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.faults.desk import Desk
from tests.fixtures.ledger import Ledger, Request, make_requests

UNTOLD_SECONDS = 3.0
"""Before the retry of a request that got no answer, or one that does not say when to ask again."""
PACE_SECONDS = 0.1
PARTNERS = 3


@dataclass
class Hasty:
    """What its requests came to at first, and which of them one retry did not cure."""

    place: Desk
    ledger: Ledger
    first: Counter[str] = field(default_factory=Counter)
    uncured: list[str] = field(default_factory=list)

    def import_and_read(self, http: httpx.Client, request: Request) -> None:
        """What one retry does not cure is told; an import is then sent until it is accepted, for the audit."""
        headers = {"Idempotency-Key": request.key}
        self._ask(lambda: http.post("/v1/contacts/import", content=request.body, headers=headers))
        self._ask(lambda: http.get("/v1/contacts/import/none"))
        self.ledger.send(self.place.api, request)

    def client(self) -> httpx.Client:
        """A connection of its own."""
        headers = {"Authorization": f"Bearer {self.place.api_key}", "Content-Type": "application/json"}
        return httpx.Client(base_url=self.place.hub.url, headers=headers, timeout=35, trust_env=False)

    def _ask(self, ask: Callable[[], httpx.Response]) -> None:
        told, pause = _tell(ask)
        self.first[told] += 1
        if told == "answered":
            return
        time.sleep(pause)  # as it was told; the fact is the answer to what it asks then
        again, _ = _tell(ask)
        if again != "answered":
            self.uncured.append(f"{told}, then {again}")


def _tell(ask: Callable[[], httpx.Response]) -> tuple[str, float]:
    """What a request came to, and after how many seconds to ask again."""
    try:
        answer = ask()
    except httpx.TransportError as error:
        return type(error).__name__, UNTOLD_SECONDS
    if answer.status_code in {httpx.codes.ACCEPTED, httpx.codes.NOT_FOUND}:
        return "answered", 0
    return str(answer.status_code), float(answer.headers.get("Retry-After", UNTOLD_SECONDS))


@contextmanager
def importing(place: Desk, ledger: Ledger, name: str, *, rows: int, first: int) -> Iterator[Hasty]:
    """Partners that import and read for the time of the block, one request after the other, no phone twice."""
    hasty, over, numbers = Hasty(place, ledger), threading.Event(), itertools.count()

    def work() -> None:
        with hasty.client() as http:
            while not over.is_set():
                number = next(numbers)
                (request,) = make_requests(f"{name}-{number}", count=1, rows=rows, first=first + number * rows)
                hasty.import_and_read(http, request)
                over.wait(PACE_SECONDS)

    with ThreadPoolExecutor(PARTNERS) as pool:
        partners: list[Future[None]] = [pool.submit(work) for _ in range(PARTNERS)]
        try:
            yield hasty
        finally:
            over.set()
    for partner in partners:
        partner.result()

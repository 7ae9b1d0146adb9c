"""What delivery counts: tries and rows as they are put on disk, and how each destination stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from typing_extensions import override

from libs.measures import About, Counter, Gauge, Histogram, Labels, Measures
from services.delivery.domain.delivery import Attempt, Delivery, DeliveryKey, DeliveryState, RowState
from services.delivery.domain.destination import Destination
from services.delivery.handler.gates import Gates
from services.delivery.handler.watching import Watchdog
from services.delivery.ports import Backlog, Clock, Destinations, Ledger

_DESTINATION = "contactsync.destination.id"
_STATES: dict[int, str] = {state: state.name.lower() for state in RowState if state is not RowState.NOT_OURS}


class CountedLedger(Ledger):
    """Counts what the ledger stored; what it did not store, because another was quicker, is not counted."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        rows = About(
            name="contactsync.delivery.rows",
            text="Rows whose delivery ended, by the state in which it left them. A row that is sent again because an "
            "operator asked for it counts again.",
            unit="{row}",
            labels=(_DESTINATION, "contactsync.row.state"),
        )
        attempts = About(
            name="contactsync.delivery.attempt.duration",
            text="How long tries take, by the status that came back; 0: none did.",
            unit="s",
            labels=(_DESTINATION, "http.response.status_code"),
        )
        retries = About(
            name="contactsync.delivery.retries",
            text="Tries after which a delivery waits for another.",
            unit="{attempt}",
            labels=(_DESTINATION,),
        )
        self._rows, self._retries = Counter(rows), Counter(retries)
        self._attempts = Histogram(attempts)
        self.measures = Measures(instruments=(self._rows, self._attempts, self._retries))

    @override
    async def find(self, keys: Sequence[DeliveryKey]) -> Mapping[DeliveryKey, Delivery]:
        return await self._ledger.find(keys)

    @override
    async def claim(self, delivery: Delivery, *, now: datetime) -> bool:
        return await self._ledger.claim(delivery, now=now)

    @override
    async def record(self, delivery: Delivery, attempt: Attempt | None = None) -> bool:
        is_stored = await self._ledger.record(delivery, attempt)
        if is_stored:
            self._count(delivery, attempt)
        return is_stored

    @override
    async def exchange(self, known: Delivery, delivery: Delivery) -> bool:
        is_stored = await self._ledger.exchange(known, delivery)
        if is_stored:
            self._count(delivery, None)
        return is_stored

    def _count(self, delivery: Delivery, attempt: Attempt | None) -> None:
        destination_id = delivery.ref.key.destination_id
        if attempt is not None:
            self._attempts.record(attempt.duration.total_seconds(), (destination_id, str(attempt.status)))
            if delivery.state is DeliveryState.WAITING and not delivery.goes_on:
                self._retries.add((destination_id,))
        if delivery.is_final:
            for state in set(delivery.states):
                if state in _STATES:
                    rows = delivery.states.count(state)
                    self._rows.add((destination_id, _STATES[state]), rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the numbers are read from."""

    destinations: Destinations
    backlog: Backlog
    gates: Gates
    watchdog: Watchdog
    clock: Clock


class DestinationNumbers:
    """Read from the database when asked: so they are right after a restart too. Breakers are this process's own."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._backlog, self._age = _of_destination(
            ("backlog", "Deliveries that are not done.", "{delivery}"),
            ("backlog.age", "Since when the oldest of them waits.", "s"),
        )
        breaker = About(
            name="contactsync.destination.breaker",
            text="1 in the state in which the breaker is.",
            labels=(_DESTINATION, "contactsync.breaker.state"),
        )
        paused = About(
            name="contactsync.destination.paused",
            text="1 where nothing is sent: by an operator, or by the hub after it was denied repeatedly.",
            labels=(_DESTINATION, "contactsync.paused.by"),
        )
        self._breaker, self._paused = Gauge(breaker), Gauge(paused)
        late = About(
            name="contactsync.delivery.late",
            text="Deliveries due since a minute and more where something may be sent, up to 1000 a destination.",
            unit="{delivery}",
            labels=("contactsync.late",),
        )
        tickets = About(
            name="contactsync.ticket.waiting", text="Tickets on the bus that nobody has dealt with.", unit="{message}"
        )
        self._late, self._tickets = Gauge(late), Gauge(tickets)
        instruments = (self._backlog, self._age, self._breaker, self._paused, self._late, self._tickets)
        self.measures = Measures(instruments=instruments, surveys=(self._look_at_destinations, self._watch))

    async def _look_at_destinations(self) -> None:
        all_of_them, now = await self._seen.destinations.list(), self._seen.clock.now()
        health = {each.destination_id: self._seen.gates.health(each).breaker for each in all_of_them}
        self._breaker.show_all({(each, state.value): 1 for each, state in health.items()})
        self._paused.show_all({(each.destination_id, _pauser(each)): 1 for each in all_of_them if each.paused})
        waiting = {each.destination_id: await self._seen.backlog.waiting(each.destination_id) for each in all_of_them}
        self._backlog.show_all({(each,): found.count for each, found in waiting.items()})
        ages: dict[Labels, float] = {
            (each,): max(0.0, (now - found.oldest_at).total_seconds()) if found.oldest_at else 0.0
            for each, found in waiting.items()
        }
        self._age.show_all(ages)

    async def _watch(self) -> None:
        watch = await self._seen.watchdog.watch()
        self._late.show_all({("all",): watch.late.count, ("never_tried",): watch.late.never_tried})
        self._tickets.show_all({} if watch.tickets is None else {(): watch.tickets})


def _of_destination(*asked: tuple[str, str, str]) -> tuple[Gauge, ...]:
    return tuple(
        Gauge(About(name=f"contactsync.delivery.{name}", text=text, unit=unit, labels=(_DESTINATION,)))
        for name, text, unit in asked
    )


def _pauser(destination: Destination) -> str:
    return "hub" if destination.is_paused_by_hub else "operator"

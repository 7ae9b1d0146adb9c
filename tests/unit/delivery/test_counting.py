"""What delivery counts is what its ledger stored."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from libs.measures import Counter, Gauge, Histogram, Labels
from services.delivery.counting import CountedLedger, DestinationNumbers, Seen
from services.delivery.domain.answer import Refused, Taken
from services.delivery.domain.delivery import RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.gates import Gates
from services.delivery.handler.watching import Lookout, Watchdog
from services.delivery.ports import Tickets
from tests.unit.delivery.world import HOOK, World, ref


class NoTickets(Tickets):
    async def waiting(self) -> int | None:
        return 3


class Counted:
    """A process whose deliverer counts."""

    def __init__(self) -> None:
        self.world = World()
        self.ledger = CountedLedger(self.world.ledger)
        surroundings = replace(self.world.surroundings, ledger=self.ledger)
        self.gates = Gates(clock=self.world.clock)
        self.deliverer = Deliverer(surroundings, lanes=self.world.lanes, gates=self.gates)

    @property
    def rows(self) -> Mapping[Labels, float]:
        counter = next(each for each in self.ledger.measures.instruments if each.about.name.endswith("rows"))
        assert isinstance(counter, Counter)
        return counter.counts

    def count(self, name: str) -> float:
        """How often, whatever the labels."""
        instrument = next(each for each in self.ledger.measures.instruments if each.about.name == name)
        if isinstance(instrument, Histogram):
            return sum(sum(row.counts) for row in instrument.rows.values())
        assert isinstance(instrument, Counter)
        return sum(instrument.counts.values())

    async def gauges(self) -> Mapping[str, Mapping[Labels, float]]:
        """What is shown of the destinations now."""
        world = self.world
        lookout = Lookout(
            backlog=world.ledger,
            destinations=world.destinations,
            tickets=NoTickets(),
            gates=self.gates,
            alarm=world.rings,
            clock=world.clock,
        )
        seen = Seen(
            destinations=world.destinations,
            backlog=world.ledger,
            gates=self.gates,
            watchdog=Watchdog(lookout),
            clock=world.clock,
        )
        measures = DestinationNumbers(seen).measures
        for survey in measures.surveys:
            await survey()
        return {each.about.name: each.values for each in measures.instruments if isinstance(each, Gauge)}


@pytest.fixture
async def counted() -> Counted:
    counted = Counted()
    await counted.world.hook()
    counted.world.chunks.keep("job.0", size=3)
    return counted


async def test_rows_are_counted_by_the_state_in_which_their_delivery_left_them(counted: Counted) -> None:
    states = bytes([RowState.CREATED, RowState.REJECTED, RowState.CREATED])
    counted.world.receiver.answers = [Taken(status=200, states=states)]

    await counted.deliverer.deliver([ref()])

    assert counted.rows == {(HOOK, "created"): 2, (HOOK, "rejected"): 1}
    assert counted.count("contactsync.delivery.attempt.duration") == 1


async def test_a_ticket_that_comes_again_counts_nothing(counted: Counted) -> None:
    await counted.deliverer.deliver([ref()])
    await counted.deliverer.deliver([ref()])

    assert sum(counted.rows.values()) == 3


async def test_a_try_that_has_to_be_repeated_is_counted_and_its_rows_are_not(counted: Counted) -> None:
    counted.world.receiver.answers = [Refused(status=503, message="Busy.")]

    await counted.deliverer.deliver([ref()])

    assert counted.rows == {}
    assert counted.count("contactsync.delivery.attempt.duration") == 1
    assert counted.count("contactsync.delivery.retries") == 1
    gauges = await counted.gauges()
    assert gauges["contactsync.delivery.backlog"] == {(HOOK,): 1}
    assert gauges["contactsync.ticket.waiting"] == {(): 3}


async def test_who_paused_a_destination_is_told(counted: Counted) -> None:
    counted.world.receiver.answers = [Refused(status=401, message="Who are you?") for _ in range(3)]
    for number in range(3):
        counted.world.chunks.keep(f"job.{number}")
        await counted.deliverer.deliver([ref(f"job.{number}")])

    by_hub = await counted.gauges()
    await counted.world.destinations.set_paused(DestinationId(HOOK), paused=True, reason="They are moving.")
    by_operator = await counted.gauges()

    assert by_hub["contactsync.destination.paused"] == {(HOOK, "hub"): 1}
    assert by_operator["contactsync.destination.paused"] == {(HOOK, "operator"): 1}


async def test_a_breaker_is_told_in_the_state_that_it_is_in(counted: Counted) -> None:
    gauges = await counted.gauges()

    assert gauges["contactsync.destination.breaker"] == {(HOOK, "closed"): 1}

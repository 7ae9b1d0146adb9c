"""One delivery on its way: its parts, one after the other, each on disk before the next goes."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from msgspec import structs

from services.delivery.domain.answer import Answer, AnswerClass, NoAnswer, Taken, classify
from services.delivery.domain.delivery import Chunk, Delivery, Parcel, RowState, claim, lease
from services.delivery.domain.destination import MEND, Destination, DestinationId
from services.delivery.domain.settling import choose_part, conclude, doubt, fail, lose, open_up, settle
from services.delivery.handler.errands import Errand, Surroundings, Tried
from services.delivery.handler.gates import Gates
from services.delivery.handler.lanes import Lanes, NoPlaceError

TAKEN = bytes((RowState.CREATED, RowState.UPDATED, RowState.UNCHANGED))

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A delivery whose next part may go."""

    delivery: Delivery
    chunk: Chunk


class Courier:
    """Carries deliveries to their destinations and tells what became of them."""

    def __init__(self, world: Surroundings, *, lanes: Lanes, gates: Gates) -> None:
        self._world = world
        self._lanes = lanes
        self._gates = gates

    async def carry(self, errand: Errand) -> None:
        """Send what can be sent now; the rest waits on disk. Raises what the ledger or ingestion's absence raises."""
        closed_until = self._gates.opens_at(errand.destination)
        is_behind = self._gates.is_behind(errand.destination.destination_id)
        if closed_until is not None or (is_behind and not errand.is_known):
            await self._put_off(errand, until=closed_until)
            return
        try:
            async with self._lanes.enter(errand.destination):
                tried = await self._carry_now(errand)
        except NoPlaceError:
            await self._put_off(errand, until=None)
            return
        if tried is not None:
            await self.conclude(tried)

    async def find_out(self, errand: Errand) -> None:
        """Bring a delivery on whose part may have arrived, at a destination that must not get it twice."""
        try:
            async with self._lanes.enter(errand.destination):
                chunk = await self._world.chunks.fetch(errand.delivery.ref.key.chunk_id)
                delivery = _opened(errand.delivery, chunk, errand.destination)
                started_at = self._world.clock.now()
                answer = await self._look_up(delivery, errand.destination, chunk)
                found = self._found(delivery, answer, errand.destination)
        except NoPlaceError:
            return  # still due
        await self.conclude(Tried(delivery=found, started_at=started_at))

    async def forget(self, delivery: Delivery) -> None:
        """End the part that may have arrived at a destination which is no more."""
        now = self._world.clock.now()
        await self.conclude(Tried(delivery=lose(delivery, now=now), started_at=now))

    async def give_up(self, delivery: Delivery, message: str) -> None:
        """End a delivery without a try."""
        chunk = await self._world.chunks.fetch(delivery.ref.key.chunk_id)
        now = self._world.clock.now()
        await self.conclude(Tried(delivery=fail(_opened(delivery, chunk, None), message, now=now), started_at=now))

    async def report(self, delivery: Delivery) -> None:
        """Tell it. Nothing is told of what was not tried, nor of a chunk that was gone before its rows were counted."""
        if delivery.attempt_count and delivery.states:
            await self._world.outcomes.report(delivery)

    async def conclude(self, tried: Tried) -> None:
        """Commit, then tell. When another was quicker it also tells."""
        delivery = tried.delivery
        if not await self._world.ledger.record(delivery, tried.attempt):
            return
        if delivery.due_at is not None:
            self._world.alarm.ring(delivery.ref.key.destination_id, at=delivery.due_at)
        await self.report(delivery)

    async def _put_off(self, errand: Errand, *, until: datetime | None) -> None:
        """Let it wait on disk; None: it could go now if there were a place."""
        destination_id, now = errand.destination.destination_id, self._world.clock.now()
        if not errand.is_known:
            await self._world.ledger.record(structs.replace(errand.delivery, due_at=until or now))
        if until is not None:
            self._world.alarm.ring(destination_id, at=until)
        elif self._gates.fall_behind(destination_id):
            self._world.alarm.ring(destination_id, at=now)

    async def _carry_now(self, errand: Errand) -> Tried | None:
        """None: it is not ours to try now, and the ledger knows."""
        destination = await self._still_open(errand.destination.destination_id)
        if destination is None:
            await self._world.ledger.record(errand.delivery)
            return None
        errand.destination = destination
        closed_until = self._gates.admit(destination)
        if closed_until is not None:
            await self._put_off(errand, until=closed_until)
            return None
        ready: _Ready | Tried | None = None
        try:
            ready = await self._prepare(errand)
        finally:
            if not isinstance(ready, _Ready):
                self._gates.give_back(destination)
        return await self._send_parts(errand, ready) if isinstance(ready, _Ready) else ready

    async def _still_open(self, destination_id: DestinationId) -> Destination | None:
        """It may have been paused while a place was waited for, or between two parts."""
        destination = await self._world.destinations.find(destination_id)
        return None if destination is None or destination.is_held else destination

    async def _prepare(self, errand: Errand) -> _Ready | Tried | None:
        """Choose the next part, and claim it where that is needed. None: another has it."""
        chunk = await self._world.chunks.fetch(errand.delivery.ref.key.chunk_id)
        now = self._world.clock.now()
        if chunk is None:
            return Tried(delivery=fail(errand.delivery, "The chunk is gone.", now=now), started_at=now)
        opened = open_up(errand.delivery, chunk, errand.destination)
        if not opened.pending:
            return Tried(delivery=_emptied(opened, now=now), started_at=now)
        ready = choose_part(opened, errand.destination)
        if errand.is_known or not errand.destination.idempotent:
            ready = claim(ready, errand.destination, now=now)
            if not await self._world.ledger.claim(ready, now=now):
                return None
            errand.is_known = True
        return _Ready(delivery=ready, chunk=chunk)

    async def _send_parts(self, errand: Errand, ready: _Ready) -> Tried | None:
        """Send from part to part until the delivery waits or has ended; that is not on disk yet."""
        errand.is_sending = True
        delivery = ready.delivery
        while True:
            errand.delivery = delivery
            tried = await self._send(delivery, errand.destination, ready.chunk)
            following = await self._following(errand, tried.delivery)
            if following is None:
                return tried if tried.delivery.is_final else self._put_behind(tried, errand.destination)
            if not await self._world.ledger.record(following, tried.attempt):
                self._gates.give_back(errand.destination)
                return None
            errand.is_known = True
            delivery = following

    async def _following(self, errand: Errand, settled: Delivery) -> Delivery | None:
        """Give the delivery with its next part claimed, to be stored with the answer to the last. None: not now."""
        if not settled.goes_on or self._lanes.closed:
            return None
        destination = await self._still_open(errand.destination.destination_id)
        if destination is None or self._gates.admit(destination) is not None:
            return None
        errand.destination = destination
        return lease(choose_part(settled, destination), destination, now=self._world.clock.now())

    def _put_behind(self, tried: Tried, destination: Destination) -> Tried:
        """What could go on, but for the gate, is due when that opens."""
        due_at, opens_at = tried.delivery.due_at, self._gates.opens_at(destination)
        if due_at is None or opens_at is None or opens_at <= due_at:
            return tried
        return replace(tried, delivery=structs.replace(tried.delivery, due_at=opens_at))

    async def _send(self, delivery: Delivery, destination: Destination, chunk: Chunk) -> Tried:
        parcel = self._parcel(delivery, destination, chunk)
        answer = await self._world.sender.send(parcel)
        await self._note(answer, parcel)
        settled = await self._settle(delivery, answer, destination, chunk)
        return Tried(delivery=settled, started_at=parcel.started_at, body=_kept(answer))

    async def _note(self, answer: Answer, parcel: Parcel) -> None:
        destination = parcel.destination
        was_probe = self._gates.is_probing(destination)
        if self._gates.note(answer, destination, started_at=parcel.started_at):
            await self._pause(destination, answer)
        if was_probe:
            opens_at = self._gates.opens_at(destination) or self._world.clock.now()
            self._world.alarm.ring(destination.destination_id, at=opens_at)

    async def _settle(self, delivery: Delivery, answer: Answer, destination: Destination, chunk: Chunk) -> Delivery:
        if classify(answer, idempotent=destination.idempotent) is AnswerClass.UNKNOWN:
            found = await self._look_up(delivery, destination, chunk)
            if found is not None:
                return self._found(delivery, found, destination)
        return self._settled(delivery, answer, destination)

    def _settled(self, delivery: Delivery, answer: Answer, destination: Destination) -> Delivery:
        now, chance = self._world.clock.now(), self._world.chance()
        return settle(delivery, answer, destination=destination, now=now, chance=chance, bounds=self._world.bounds)

    async def _look_up(self, delivery: Delivery, destination: Destination, chunk: Chunk | None) -> Answer | None:
        """Ask the destination what it has of the part. None: it can never tell."""
        return None if chunk is None else await self._world.lookup.look_up(self._parcel(delivery, destination, chunk))

    def _found(self, delivery: Delivery, answer: Answer | None, destination: Destination) -> Delivery:
        now, chance = self._world.clock.now(), self._world.chance()
        if answer is None:
            return lose(delivery, now=now)
        if isinstance(answer, Taken):
            return self._settled(delivery, answer, destination)
        return doubt(delivery, answer, destination=destination, now=now, chance=chance)

    def _parcel(self, delivery: Delivery, destination: Destination, chunk: Chunk) -> Parcel:
        ref = delivery.ref
        if ref.positions != delivery.part:
            ref = structs.replace(ref, positions=delivery.part)
        return Parcel(ref=ref, destination=destination, chunk=chunk, started_at=self._world.clock.now())

    async def _pause(self, destination: Destination, answer: Answer) -> None:
        if await self._still_open(destination.destination_id) is None:
            return
        status = 0 if isinstance(answer, NoAnswer) else answer.status
        reason = f"It answered {status} {self._world.bounds.denials} times in a row. {MEND}"
        await self._world.switch.set_paused(destination.destination_id, paused=True, reason=reason)
        log.warning("destination_paused", destination_id=destination.destination_id, status=status)


def _kept(answer: Answer) -> bytes:
    if isinstance(answer, NoAnswer) or (isinstance(answer, Taken) and not answer.states.translate(None, TAKEN)):
        return b""
    return answer.body


def _opened(delivery: Delivery, chunk: Chunk | None, destination: Destination | None) -> Delivery:
    return delivery if chunk is None else open_up(delivery, chunk, destination)


def _emptied(opened: Delivery, *, now: datetime) -> Delivery:
    """Of a delivery that has no row to send."""
    return conclude(opened, now=now) if any(opened.states) else fail(opened, "Every contact was erased.", now=now)

"""Replays, step by step, over crashes, and beside whatever else happens to their rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.delivery.domain.answer import Answer, Refused, Taken
from services.delivery.domain.dead_letter import DeadLetterFilter
from services.delivery.domain.delivery import Ref, RowState
from services.delivery.domain.destination import DestinationId
from services.delivery.domain.errors import DestinationNotFoundError, InvalidSelectionError, ReplayNotFoundError
from services.delivery.domain.replay import Redelivery, Replay, ReplayId, Verdict
from services.delivery.handler.operate import ReplayDesk, ReplayOffice
from services.delivery.ports.operating import Selection
from services.delivery.store.memory_operating import MemoryReplays
from tests.unit.delivery.world import HOOK, Crash, World, ref

FAILED = frozenset({RowState.FAILED})
ALL = DeadLetterFilter(destination_id=HOOK)


@dataclass
class Rounds:
    """Ingestion, as far as it counts rounds."""

    world: World
    rounds: dict[str, int] = field(default_factory=dict)
    states: dict[str, bytearray] = field(default_factory=dict)
    started: list[Ref] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    crash_after: bool = False

    def keep(self, chunk_id: str, states: bytes) -> None:
        self.rounds[chunk_id] = 0
        self.states[chunk_id] = bytearray(states)

    async def redeliver(self, selections: Sequence[Selection]) -> Sequence[Redelivery]:
        answers = [self._begin(each) for each in selections]
        if self.crash_after:
            self.crash_after = False
            raise Crash
        return answers

    def _begin(self, selection: Selection) -> Redelivery:
        chunk_id = selection.chunk_id
        number, states = self.rounds[chunk_id], self.states[chunk_id]
        if number > selection.round:
            return Redelivery(verdict=Verdict.LATER, round=number, states=bytes(states))
        if chunk_id in self.busy:
            return Redelivery(verdict=Verdict.UNFINISHED, round=number, states=bytes(states))
        positions = [at for at in selection.positions if RowState(states[at]) in selection.states]
        if not positions:
            return Redelivery(verdict=Verdict.NOTHING, round=number, states=bytes(states))
        self.rounds[chunk_id] += 1
        self.started.append(ref(chunk_id, positions=positions, number=number + 1))
        return Redelivery(verdict=Verdict.STARTED, round=number + 1, states=bytes(states))

    async def resolve(self, selections: Sequence[Selection], *, state: RowState, reason: str) -> Sequence[bytes]:
        raise NotImplementedError


class Desk:
    """A process that runs replays; another one on the same disk goes on where this one died."""

    def __init__(self, world: World, rounds: Rounds, replays: MemoryReplays) -> None:
        self.world, self.rounds, self.replays = world, rounds, replays
        self.woken = 0
        self.desk = ReplayDesk(
            ReplayOffice(
                replays=replays,
                dead_letters=world.ledger.dead_letters,
                destinations=world.destinations,
                ledger=world.ledger,
                redeliveries=rounds,
                clock=world.clock,
                random=lambda count: bytes(range(count)),
                wake=self._wake,
            )
        )

    def _wake(self) -> None:
        self.woken += 1

    def restarted(self) -> "Desk":
        return Desk(self.world.restarted(), self.rounds, self.replays)

    async def deliver(self) -> None:
        """Let the rounds that began be delivered."""
        refs, self.rounds.started = self.rounds.started, []
        for each in refs:
            await self.world.deliverer.deliver([each])

    async def finish(self, replay: Replay) -> Replay:
        for _ in range(20):
            await self.desk.advance()
            await self.deliver()
        return await self.desk.get(HOOK, replay.replay_id)


@pytest.fixture
async def desk() -> Desk:
    """Two chunks of two rows; the receiver refused the first for good and the second row of the second."""
    world = World()
    await world.hook()
    rounds = Rounds(world)
    refused = Refused(status=422, message="No.")
    chunks: list[tuple[str, list[Answer | BaseException], bytes]] = [
        ("job.0", [refused] * 3, b"\x06\x06"),
        ("job.1", [Taken(states=b"\x02\x06")], b"\x02\x06"),
    ]
    for chunk_id, answers, states in chunks:
        world.chunks.keep(chunk_id, size=2)
        world.receiver.answers = answers
        await world.deliverer.deliver([ref(chunk_id)])
        rounds.keep(chunk_id, states)
    world.receiver.answers = []
    return Desk(world, rounds, MemoryReplays())


async def letters(desk: Desk) -> list[tuple[str, int, int]]:
    found = await desk.world.ledger.dead_letters.page(ALL, after=None, limit=99)
    return sorted((each.chunk_id, each.position, each.round) for each in found)


async def test_failed_rows_are_sent_again_and_counted(desk: Desk) -> None:
    started = await desk.desk.start(ALL, by="admin-1", repeat_unknown=False)

    ended = await desk.finish(started)

    assert (started.total, started.created_by, desk.woken) == (3, "admin-1", 1)
    assert (ended.done, ended.failed, ended.skipped, ended.left) == (3, 0, 0, 0)
    assert ended.completed_at is not None
    assert await letters(desk) == []


async def test_rows_that_fail_again_are_counted_as_failed(desk: Desk) -> None:
    started = await desk.desk.start(replace(ALL, chunk_id="job.1"), by="a", repeat_unknown=False)
    desk.world.receiver.answers = [Refused(status=422, message="No.")]

    ended = await desk.finish(started)

    assert (ended.done, ended.failed) == (0, 1)
    assert ("job.1", 1, 1) in await letters(desk)


async def test_a_crash_after_ingestion_began_the_round_sends_nothing_twice(desk: Desk) -> None:
    started = await desk.desk.start(ALL, by="a", repeat_unknown=False)
    desk.rounds.crash_after = True
    with pytest.raises(Crash):
        await desk.desk.advance()
    before = len(desk.world.receiver.parcels)

    ended = await desk.restarted().finish(started)

    assert (ended.done, ended.failed) == (3, 0)
    assert len(desk.world.receiver.parcels) == before + 2
    assert set(desk.rounds.rounds.values()) == {1}


async def test_two_processes_bring_a_replay_to_one_end(desk: Desk) -> None:
    started = await desk.desk.start(ALL, by="a", repeat_unknown=False)
    other = desk.restarted()

    for _ in range(10):
        await desk.desk.advance()
        await other.desk.advance()
        await desk.deliver()

    ended = await other.desk.get(HOOK, started.replay_id)
    assert (ended.done, ended.failed, ended.skipped) == (3, 0, 0)


async def test_a_delivery_that_is_not_over_is_waited_for(desk: Desk) -> None:
    desk.rounds.busy = {"job.0"}
    started = await desk.desk.start(ALL, by="a", repeat_unknown=False)
    between = await desk.finish(started)
    desk.rounds.busy = set()

    ended = await desk.finish(started)

    assert (between.done, between.left, between.completed_at) == (1, 2, None)
    assert (ended.done, ended.left) == (3, 0)


async def test_rows_that_another_round_left_out_get_one_of_their_own(desk: Desk) -> None:
    started = await desk.desk.start(replace(ALL, chunk_id="job.0"), by="a", repeat_unknown=False)
    desk.rounds.rounds["job.0"] = 1
    desk.world.receiver.answers = [Taken(states=b"\x02")]
    await desk.world.deliverer.deliver([ref("job.0", positions=[0], number=1)])

    ended = await desk.finish(started)

    assert (ended.done, ended.failed) == (2, 0)
    assert desk.rounds.rounds["job.0"] == 2


async def test_rows_that_nobody_needs_any_more_are_skipped(desk: Desk) -> None:
    started = await desk.desk.start(ALL, by="a", repeat_unknown=False)
    desk.rounds.states["job.0"][:] = b"\x05\x02"

    ended = await desk.finish(started)

    assert (ended.done, ended.failed, ended.skipped) == (2, 0, 1)


async def test_a_replay_of_nothing_is_over_at_once(desk: Desk) -> None:
    started = await desk.desk.start(replace(ALL, job_id="another"), by="a", repeat_unknown=False)

    assert (started.total, started.completed_at) == (0, desk.world.clock.now())
    assert await desk.desk.advance() == (False, False)


async def test_unknown_rows_need_a_word_of_their_own(desk: Desk) -> None:
    unknown = replace(ALL, states=frozenset({RowState.UNKNOWN}))

    with pytest.raises(InvalidSelectionError) as caught:
        await desk.desk.start(unknown, by="a", repeat_unknown=False)
    allowed = await desk.desk.start(unknown, by="a", repeat_unknown=True)

    assert caught.value.violations[0].pointer == "/repeat_unknown"
    assert allowed.states == frozenset({RowState.UNKNOWN})


async def test_what_is_not_there_is_refused(desk: Desk) -> None:
    nowhere = DestinationId("none")

    with pytest.raises(DestinationNotFoundError):
        await desk.desk.start(replace(ALL, destination_id=nowhere), by="a", repeat_unknown=False)
    with pytest.raises(InvalidSelectionError):
        await desk.desk.start(replace(ALL, positions=frozenset({1})), by="a", repeat_unknown=False)
    with pytest.raises(ReplayNotFoundError):
        await desk.desk.get(HOOK, ReplayId("none"))
    with pytest.raises(DestinationNotFoundError):
        await desk.desk.list(nowhere)

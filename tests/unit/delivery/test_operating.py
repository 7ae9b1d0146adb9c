"""What an operator does, over refusals and crashes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from services.delivery.domain.answer import NoAnswer
from services.delivery.domain.dead_letter import ClosedAs, DeadLetterFilter
from services.delivery.domain.delivery import ChunkId, DeliveryState, RowState
from services.delivery.domain.destination import DIRECTORY, Destination, DestinationId, DestinationKind
from services.delivery.domain.errors import (
    DeadLetterNotFoundError,
    DeliveryNotFoundError,
    DestinationInUseError,
    DestinationNotFoundError,
    DirectoryExistsError,
    InvalidDestinationError,
    NoSecretError,
)
from services.delivery.domain.replay import Redelivery
from services.delivery.domain.settings import Changes
from services.delivery.handler.clearing import Clearance
from services.delivery.handler.operate import DeadLetterDesk, DeadLetterOffice, Office, Operator
from services.delivery.ports.operating import Selection
from tests.unit.delivery.world import HOOK, NOW, Crash, World, ref

HTTPS = Changes(url="https://hook.example/")
ALL = DeadLetterFilter(destination_id=HOOK)


class Guard:
    async def objection(self, url: str) -> str | None:
        return None if url.startswith("https://") else "The URL must begin with https://."


@dataclass
class Senders:
    names: list[str] = field(default_factory=list)

    async def senders_to(self, destination_id: DestinationId) -> Sequence[str]:
        return self.names


@dataclass
class Sources:
    names: list[str] = field(default_factory=list)

    async def leading_to(self, destination_id: DestinationId) -> Sequence[str]:
        return self.names


@dataclass
class Resolutions:
    """Ingestion, as far as it takes an operator's word."""

    told: list[tuple[tuple[int, ...], RowState]] = field(default_factory=list)
    crash: bool = False

    async def resolve(self, selections: Sequence[Selection], *, state: RowState, reason: str) -> Sequence[bytes]:
        self.told += [(each.positions, state) for each in selections]
        if self.crash:
            self.crash = False
            raise Crash
        return [b"" for _ in selections]

    async def redeliver(self, selections: Sequence[Selection]) -> Sequence[Redelivery]:
        raise NotImplementedError


class Place:
    def __init__(self) -> None:
        self.world, self.ingestion = World(), Resolutions()
        self.senders, self.sources = Senders(), Sources()
        world, ledger = self.world, self.world.ledger
        self.operator = Operator(
            Office(
                destinations=world.destinations,
                register=world.destinations,
                switch=world.destinations,
                backlog=ledger,
                attempts=ledger,
                errors=ledger,
                dead_letters=ledger.dead_letters,
                vitals=world.deliverer,
                clients=self.senders,
                sources=self.sources,
                clearing=Clearance(backlog=ledger, haste=ledger, deliverer=world.deliverer, clock=world.clock),
                guard=Guard(),
                alarm=world.rings,
                clock=world.clock,
                random=lambda count: bytes(range(count)),
            )
        )
        self.desk = DeadLetterDesk(
            DeadLetterOffice(
                dead_letters=ledger.dead_letters,
                destinations=world.destinations,
                attempts=ledger,
                redeliveries=self.ingestion,
                clock=world.clock,
            )
        )

    async def hook(self) -> Destination:
        return await self.operator.create(DestinationKind.WEBHOOK, HTTPS)

    async def lose(self, chunk_id: str) -> None:
        """A delivery whose answer is lost at a receiver that is not idempotent."""
        self.world.chunks.keep(chunk_id)
        self.world.receiver.answers = [NoAnswer(message="Cut.", reached=True)]
        await self.world.deliverer.deliver([ref(chunk_id)])


@pytest.fixture
def place() -> Place:
    return Place()


async def test_a_webhook_gets_a_secret_and_the_defaults_of_its_kind(place: Place) -> None:
    hook = await place.hook()
    crm = await place.operator.create(
        DestinationKind.CONNECT, Changes(url="https://crm.example", api_key="k", name="crm")
    )

    assert (hook.name, hook.chunk_size, len(hook.secrets)) == ("webhook", 1000, 1)
    assert (crm.name, crm.chunk_size, crm.secrets) == ("crm", 50, ())


async def test_what_is_not_possible_is_refused(place: Place) -> None:
    hook = await place.hook()

    with pytest.raises(DirectoryExistsError):
        await place.operator.create(DestinationKind.DIRECTORY, Changes())
    with pytest.raises(InvalidDestinationError):
        await place.operator.create(DestinationKind.WEBHOOK, Changes(url="http://hook.example/"))
    with pytest.raises(InvalidDestinationError):
        await place.operator.update(hook.destination_id, Changes(url="http://hook.example/"))
    with pytest.raises(DestinationNotFoundError):
        await place.operator.update(DestinationId("none"), Changes(name="x"))
    with pytest.raises(DestinationNotFoundError):
        await place.operator.get(DestinationId("none"))
    with pytest.raises(DeliveryNotFoundError):
        await place.operator.attempts(ChunkId("none"), hook.destination_id)
    assert (await place.operator.get(hook.destination_id)).destination == hook


async def test_secrets_rotate_and_the_oldest_go_first(place: Place) -> None:
    rotated = hook = await place.hook()

    for number in range(6):
        rotated = await place.operator.rotate_secret(
            hook.destination_id, secret=f"secret number {number}, long", overlap=timedelta(hours=1)
        )

    assert rotated.secrets == tuple(f"secret number {number}, long" for number in (5, 4, 3, 2, 1))
    assert rotated.old_secrets_until == NOW + timedelta(hours=1)
    assert (await place.operator.rotate_secret(hook.destination_id)).old_secrets_until == NOW + timedelta(hours=24)


async def test_a_secret_whose_time_is_over_does_not_come_back(place: Place) -> None:
    hook = await place.hook()
    await place.operator.rotate_secret(hook.destination_id, secret="the second secret")
    place.world.clock.advance(timedelta(hours=25))

    rotated = await place.operator.rotate_secret(hook.destination_id, secret="the third secret")

    assert rotated.secrets == ("the third secret", "the second secret")


async def test_only_a_webhook_has_a_secret(place: Place) -> None:
    await place.operator.ensure_directory()

    with pytest.raises(NoSecretError):
        await place.operator.rotate_secret(DIRECTORY)


async def test_what_is_still_needed_is_not_deleted(place: Place) -> None:
    hook = (await place.hook()).destination_id
    await place.operator.ensure_directory()
    await place.operator.pause(hook)
    place.world.chunks.keep("job.0")
    await place.world.deliverer.deliver([ref(destination_id=hook)])

    with pytest.raises(DestinationInUseError, match="1 deliveries wait"):
        await place.operator.delete(hook, discard_backlog=False)
    place.sources.names = ["crm"]
    with pytest.raises(DestinationInUseError, match="Sources lead to it: crm"):
        await place.operator.delete(hook, discard_backlog=True)
    place.senders.names = ["shop"]
    with pytest.raises(DestinationInUseError, match="shop"):
        await place.operator.delete(hook, discard_backlog=True)
    with pytest.raises(DestinationInUseError):
        await place.operator.delete(DIRECTORY, discard_backlog=True)
    with pytest.raises(DestinationNotFoundError):
        await place.operator.delete(DestinationId("none"), discard_backlog=True)


async def test_a_discarded_backlog_ends_as_failed_and_is_told(place: Place) -> None:
    hook = (await place.hook()).destination_id
    await place.operator.pause(hook)
    for index in range(3):
        place.world.chunks.keep(f"job.{index}")
        await place.world.deliverer.deliver([ref(f"job.{index}", hook)])

    discarded = await place.operator.delete(hook, discard_backlog=True)

    assert discarded == 3
    assert {each.state for each in place.world.reports.told} == {DeliveryState.FAILED}
    assert len(place.world.reports.told) == 3
    assert await place.operator.list() == []
    assert len(await place.desk.page(replace(ALL, destination_id=hook), after=None, limit=9)) == 3


async def test_unknown_rows_that_had_arrived_are_closed(place: Place) -> None:
    await place.world.hook(idempotent=False)
    for index in range(2):
        await place.lose(f"job.{index}")

    resolved = await place.desk.resolve(replace(ALL, chunk_id="job.0"), delivered=True, by="admin-1", reason="seen")

    letter, attempts = await place.desk.get(HOOK, ChunkId("job.0"), 0)
    assert (resolved, place.ingestion.told) == (1, [((0,), RowState.CREATED)])
    assert letter.closing is not None
    assert (letter.closing.closed_as, letter.closing.by, letter.closing.reason) == (
        ClosedAs.DELIVERED,
        "admin-1",
        "seen",
    )
    assert len(attempts) == 1
    assert len(await place.desk.page(ALL, after=None, limit=9)) == 1


async def test_a_crash_between_the_two_views_is_mended_by_saying_it_again(place: Place) -> None:
    await place.world.hook(idempotent=False)
    await place.lose("job.0")
    place.ingestion.crash = True
    with pytest.raises(Crash):
        await place.desk.resolve(ALL, delivered=False, by="a", reason="")
    [between] = await place.desk.page(ALL, after=None, limit=9)

    resolved = await place.desk.resolve(ALL, delivered=False, by="a", reason="")

    [after] = await place.desk.page(ALL, after=None, limit=9)
    assert (resolved, between.state, after.state) == (1, RowState.UNKNOWN, RowState.FAILED)
    assert place.ingestion.told == [((0,), RowState.FAILED)] * 2


async def test_dead_letters_that_are_not_there_are_told_apart(place: Place) -> None:
    await place.world.hook()

    assert await place.desk.page(ALL, after=None, limit=9) == []
    assert await place.desk.discard(ALL, by="a", reason="r") == 0
    with pytest.raises(DeadLetterNotFoundError):
        await place.desk.get(HOOK, ChunkId("job.0"), 0)
    nowhere = replace(ALL, destination_id=DestinationId("none"))
    for call in (
        place.desk.page(nowhere, after=None, limit=9),
        place.desk.discard(nowhere, by="a", reason="r"),
        place.desk.resolve(nowhere, delivered=True, by="a", reason=""),
    ):
        with pytest.raises(DestinationNotFoundError):
            await call

"""What every store of keys promises: in memory, on SQLite, on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.idempotency.domain import (
    Answer,
    Beginning,
    Completion,
    Conflict,
    Fence,
    InProgress,
    KeyNotFoundError,
    Release,
    Replay,
    Request,
    Started,
)
from services.idempotency.store.memory import MemoryKeys
from services.idempotency.store.sql import MIGRATIONS, SqlKeys
from tests.fixtures.databases import Databases
from tests.unit.idempotency.world import LIMITS, NOW, World, request

ANSWER = Answer(202, b'{"job_id": "\xd1\x8f"}')
OTHER_ANSWER = Answer(202, b"{}")
A_LEASE = LIMITS.lease + timedelta(microseconds=1)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, databases: Databases) -> World:
    if request.param == "memory":
        return World(MemoryKeys())
    return World(SqlKeys(await databases.open(request.param, MIGRATIONS)))


async def begin(world: World, asked: Request) -> Beginning:
    [beginning] = await world.idempotency.begin([asked])
    return beginning


async def start(world: World, asked: Request) -> Started:
    beginning = await begin(world, asked)
    assert isinstance(beginning, Started)
    return beginning


async def complete(world: World, asked: Request, fence: int, answer: Answer = ANSWER) -> bool:
    [held] = await world.idempotency.complete([Completion(asked.key, Fence(fence), answer)])
    return held


async def release(world: World, asked: Request, fence: int) -> bool:
    [freed] = await world.idempotency.release([Release(asked.key, Fence(fence))])
    return freed


async def test_a_hundred_begins_of_one_key_have_one_winner(world: World) -> None:
    beginnings = await asyncio.gather(*(begin(world, request()) for _ in range(100)))

    assert sum(isinstance(beginning, Started) for beginning in beginnings) == 1
    assert sum(isinstance(beginning, InProgress) for beginning in beginnings) == 99


async def test_a_hundred_calls_of_overlapping_keys_have_one_winner_each(world: World) -> None:
    async def begin_some(offset: int) -> list[Beginning]:
        return await world.idempotency.begin([request(f"key {(offset * 7 + step * 3) % 20}") for step in range(10)])

    results = await asyncio.gather(*(begin_some(offset) for offset in range(100)))

    assert sum(isinstance(beginning, Started) for some in results for beginning in some) == 20


async def test_a_key_asked_twice_in_one_call_is_started_once_in_the_order_asked(world: World) -> None:
    first, other, second = await world.idempotency.begin([request("b"), request("a"), request("b")])

    assert isinstance(first, Started)
    assert isinstance(other, Started)
    assert isinstance(second, InProgress)


async def test_a_started_key_tells_until_when_its_lease_holds(world: World) -> None:
    started = await start(world, request())

    assert started.created_at == NOW
    assert await begin(world, request()) == InProgress(NOW + LIMITS.lease)


async def test_a_completed_request_is_replayed_byte_for_byte_and_counted(world: World) -> None:
    started = await start(world, request())
    await complete(world, request(), started.fence)
    world.clock.move(timedelta(minutes=5))

    replays = [await begin(world, request()) for _ in range(3)]

    record = await world.idempotency.look_up(request().key)
    assert replays == [Replay(ANSWER, started.job_id)] * 3
    assert record.access_count == 3
    assert record.accessed_at == world.clock.now()
    assert record.created_at == NOW
    assert record.expires_at == NOW + LIMITS.lifetime
    assert record.answer == ANSWER


async def test_equal_bytes_are_a_replay_without_a_look_at_the_canonical_form(world: World) -> None:
    started = await start(world, request())
    await complete(world, request(), started.fence)

    assert isinstance(await begin(world, request(canonical="anything else")), Replay)


async def test_another_spelling_of_the_same_payload_is_a_replay(world: World) -> None:
    started = await start(world, request(body="{ }", canonical="{}"))
    await complete(world, request(), started.fence)

    assert isinstance(await begin(world, request(body="{}", canonical="{}")), Replay)


@pytest.mark.parametrize("answered", [True, False])
async def test_another_payload_is_a_conflict_that_tells_when_the_key_was_first_used(
    world: World, answered: bool
) -> None:
    started = await start(world, request())
    if answered:
        await complete(world, request(), started.fence)
    world.clock.move(A_LEASE)

    assert await begin(world, request(body="other")) == Conflict(NOW)
    assert (await world.idempotency.look_up(request().key)).access_count == 0


async def test_a_lapsed_lease_goes_to_the_next_caller_with_the_same_job_and_a_higher_fence(world: World) -> None:
    first = await start(world, request())
    world.clock.move(A_LEASE)

    second = await start(world, request())

    assert second.job_id == first.job_id
    assert second.created_at == first.created_at
    assert second.fence > first.fence
    assert isinstance(await begin(world, request()), InProgress)


async def test_a_holder_that_asks_again_still_holds_the_lease_and_nobody_else_does(world: World) -> None:
    asked = replace(request(), holder=b"me")
    [first] = await world.idempotency.begin([asked])

    again, other, nobody = await world.idempotency.begin([asked, replace(asked, holder=b"other"), request()])

    assert again == first
    assert isinstance(other, InProgress)
    assert isinstance(nobody, InProgress)


async def test_an_older_holder_that_asks_again_holds_no_more(world: World) -> None:
    asked = replace(request(), holder=b"me")
    await world.idempotency.begin([asked])
    world.clock.move(LIMITS.lease)
    await world.idempotency.begin([replace(asked, holder=b"other")])

    [again] = await world.idempotency.begin([asked])

    assert isinstance(again, InProgress)


async def test_a_hundred_begins_after_a_lapse_have_one_winner(world: World) -> None:
    first = await start(world, request())
    world.clock.move(A_LEASE)

    beginnings = await asyncio.gather(*(begin(world, request()) for _ in range(100)))

    [second] = [beginning for beginning in beginnings if isinstance(beginning, Started)]
    assert second.job_id == first.job_id


async def test_an_older_holder_is_refused(world: World) -> None:
    first = await start(world, request())
    world.clock.move(A_LEASE)
    second = await start(world, request())

    assert not await complete(world, request(), first.fence)
    assert not await release(world, request(), first.fence)
    assert await complete(world, request(), second.fence)


async def test_a_holder_whose_lease_lapsed_may_complete_while_nobody_else_holds_it(world: World) -> None:
    started = await start(world, request())
    world.clock.move(A_LEASE)

    assert await complete(world, request(), started.fence)


async def test_the_first_stored_answer_stays(world: World) -> None:
    first = await start(world, request())
    world.clock.move(A_LEASE)
    second = await start(world, request())

    assert await complete(world, request(), second.fence)
    assert await complete(world, request(), second.fence, OTHER_ANSWER)
    assert await complete(world, request(), first.fence, OTHER_ANSWER)
    assert await begin(world, request()) == Replay(ANSWER, first.job_id)


async def test_release_leaves_nothing(world: World) -> None:
    started = await start(world, request())

    assert await release(world, request(), started.fence)
    assert not await release(world, request(), started.fence)

    with pytest.raises(KeyNotFoundError):
        await world.idempotency.look_up(request().key)
    again = await start(world, request(body="other"))
    assert again.job_id != started.job_id


async def test_a_completed_key_is_not_released(world: World) -> None:
    started = await start(world, request())
    await complete(world, request(), started.fence)

    assert not await release(world, request(), started.fence)
    assert isinstance(await begin(world, request()), Replay)


async def test_a_holder_from_before_a_release_cannot_complete_what_was_begun_after_it(world: World) -> None:
    first = await start(world, request())
    world.clock.move(A_LEASE)
    second = await start(world, request())
    await release(world, request(), second.fence)
    world.clock.move(timedelta(microseconds=1))
    third = await start(world, request())

    assert not await complete(world, request(), first.fence)
    assert not await complete(world, request(), second.fence)
    assert await complete(world, request(), third.fence)


async def test_completing_and_releasing_an_unknown_key_comes_to_nothing(world: World) -> None:
    assert not await complete(world, request(), 1)
    assert not await release(world, request(), 1)


async def test_expiry_frees_the_key(world: World) -> None:
    first = await start(world, request())
    await complete(world, request(), first.fence)
    await begin(world, request())
    world.clock.move(LIMITS.lifetime)

    with pytest.raises(KeyNotFoundError):
        await world.idempotency.look_up(request().key)
    second = await start(world, request(body="other"))

    record = await world.idempotency.look_up(request().key)
    assert second.job_id != first.job_id
    assert second.fence > first.fence
    assert record.answer is None
    assert (record.created_at, record.access_count) == (world.clock.now(), 0)
    assert record.body_hash == request(body="other").body_hash


async def test_expired_keys_are_forgotten_and_the_others_kept(world: World) -> None:
    await world.idempotency.begin([request(f"old {index}") for index in range(120)])
    world.clock.move(LIMITS.lifetime)
    await world.idempotency.begin([request(f"new {index}") for index in range(10)])

    steps = [await world.store.forget_expired(world.clock.now(), limit=50) for _ in range(4)]

    assert steps == [50, 50, 20, 0]
    assert await world.store.find(request("old 7").key) is None
    assert await world.store.find(request("new 7").key) is not None


async def test_keys_of_different_clients_are_different_keys(world: World) -> None:
    ours, theirs = await start(world, request()), await start(world, request(client="other", body="other"))

    assert ours.job_id != theirs.job_id


async def test_a_record_comes_back_as_it_was_kept(world: World) -> None:
    asked = replace(request("Ключ ' \" ; --"), body_hash=bytes(32), fingerprint=bytes(range(32)))

    started = await start(world, asked)

    record = await world.store.find(asked.key)
    assert record is not None
    assert (record.key, record.body_hash, record.fingerprint) == (asked.key, asked.body_hash, asked.fingerprint)
    assert (record.job_id, record.fence, record.lease_until) == (started.job_id, started.fence, NOW + LIMITS.lease)

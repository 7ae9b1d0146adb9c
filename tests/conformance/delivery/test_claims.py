"""What every ledger promises of claims: one has a delivery at a time, and who lost it writes nothing."""

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from services.delivery.domain.answer import RowFailure
from services.delivery.domain.delivery import DeliveryState, hold
from tests.conformance.delivery.test_store import SECOND, Store, attempt, store, tried
from tests.unit.delivery.world import NOW, ref

__all__ = ["store"]


async def test_of_many_that_claim_at_once_one_has_it(store: Store) -> None:
    waiting = tried(ref(), state=DeliveryState.WAITING)
    await store.ledger.record(waiting)
    claims = [replace(waiting, due_at=NOW + timedelta(hours=1 + index), fence=1) for index in range(8)]

    won = await asyncio.gather(*(store.ledger.claim(each, now=NOW + SECOND) for each in claims))

    assert sum(won) == 1
    assert await store.ledger.find([ref().key]) == {ref().key: claims[won.index(True)]}


async def test_of_many_that_claim_something_new_one_has_it(store: Store) -> None:
    new = replace(hold(ref(), now=NOW), state=DeliveryState.SENDING, due_at=NOW + SECOND)

    won = await asyncio.gather(*(store.ledger.claim(new, now=NOW) for _ in range(8)))

    assert sum(won) == 1
    assert await store.ledger.find([ref().key]) == {ref().key: new}


async def test_what_is_not_due_or_being_sent_is_not_claimed(store: Store) -> None:
    waiting, sending = tried(ref(), state=DeliveryState.WAITING), tried(ref("job.1"), state=DeliveryState.SENDING)
    for each in (waiting, sending):
        await store.ledger.record(each)

    early = await store.ledger.claim(replace(waiting, fence=1), now=NOW + SECOND - timedelta(microseconds=1))
    another = await store.ledger.claim(replace(sending, fence=1), now=NOW + timedelta(days=1))

    assert (early, another) == (False, False)


async def test_what_was_tried_since_it_was_read_is_not_claimed(store: Store) -> None:
    known = tried(ref(), state=DeliveryState.WAITING)
    await store.ledger.record(known)

    stale = await store.ledger.claim(replace(known, attempt_count=0, fence=1), now=NOW + SECOND)

    assert not stale
    assert await store.ledger.find([ref().key]) == {ref().key: known}


async def test_a_claim_keeps_which_rows_go_and_a_try_how_far_it_came(store: Store) -> None:
    await store.ledger.record(hold(ref(), now=NOW))
    claimed = replace(
        hold(ref(), now=NOW),
        states=b"\x01\x00\x01",
        part=(0, 2),
        passed=0,
        is_tainted=True,
        due_at=NOW + SECOND,
        fence=1,
    )
    won = await store.ledger.claim(claimed, now=NOW)
    found = await store.ledger.find([ref().key])
    further = replace(claimed, attempt_count=1, tries=1, part_limit=1, probes=3, passed=2, is_tainted=False)

    recorded = await store.ledger.record(further, attempt(ref()))

    assert (won, recorded) == (True, True)
    assert found == {ref().key: claimed}
    assert await store.ledger.find([ref().key]) == {ref().key: further}


async def test_who_lost_its_lease_records_nothing(store: Store) -> None:
    await store.ledger.record(hold(ref(), now=NOW))
    first = replace(hold(ref(), now=NOW), due_at=NOW + SECOND, fence=1)
    second = replace(first, due_at=NOW + timedelta(hours=1), fence=2)
    won = [await store.ledger.claim(first, now=NOW), await store.ledger.claim(second, now=NOW + SECOND)]

    late = await store.ledger.record(replace(first, attempt_count=1), attempt(ref()))
    recorded = await store.ledger.record(replace(second, attempt_count=1), attempt(ref()))

    assert won == [True, True]
    assert (late, recorded) == (False, True)


@pytest.mark.parametrize("meanwhile", ["nothing", "a claim", "a try"])
async def test_what_is_as_it_was_known_is_exchanged_and_nothing_else(store: Store, meanwhile: str) -> None:
    known = replace(hold(ref(), now=NOW), states=b"\x01\x01")
    await store.ledger.record(known)
    if meanwhile == "a claim":
        await store.ledger.claim(replace(known, due_at=NOW + SECOND, fence=1), now=NOW)
    if meanwhile == "a try":
        await store.ledger.record(replace(known, attempt_count=1), attempt(ref()))
    before = await store.ledger.find([ref().key])
    left = replace(known, states=b"\x04\x01", failures=(RowFailure(position=0, reason="old"),), attempt_count=1)

    exchanged = await store.ledger.exchange(known, left)

    assert exchanged is (meanwhile == "nothing")
    assert await store.ledger.find([ref().key]) == ({ref().key: left} if exchanged else before)

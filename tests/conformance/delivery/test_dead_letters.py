"""Dead letters keep in step with the ledger, and leave the list only with a word."""

from dataclasses import replace
from datetime import timedelta

from services.delivery.domain.dead_letter import ClosedAs, Closing, DeadLetter
from services.delivery.domain.delivery import ChunkId, RowState, hold
from services.delivery.ports.operating import Place
from tests.conformance.delivery.operating import ALL, OTHER, SECOND, C, F, N, P, Store, U, X, tried
from tests.unit.delivery.world import HOOK, NOW, ref


async def test_rows_that_were_not_taken_are_dead_letters_with_their_reason(store: Store) -> None:
    await store.ledger.record(tried(ref("job.0"), C + F + N + U + C, reasons=[(1, "No such field.")]))
    await store.ledger.record(tried(ref("job.1"), C + C))

    found = await store.letters.page(ALL, after=None, limit=10)

    assert [(each.position, each.state, each.reason) for each in found] == [
        (1, RowState.FAILED, "No such field."),
        (2, RowState.UNSUPPORTED, "It answered 422."),
        (3, RowState.UNKNOWN, "It answered 422."),
    ]
    assert (found[0].job_id, found[0].status, found[0].at, found[0].closing) == ("job", 422, NOW + SECOND, None)
    assert await store.letters.find(HOOK, ref("job.0").key.chunk_id, 1) == found[0]
    assert await store.letters.find(HOOK, ref("job.0").key.chunk_id, 0) is None
    assert await store.letters.count(HOOK) == 3


async def test_a_row_is_a_dead_letter_from_its_end_on_and_not_while_it_waits(store: Store) -> None:
    await store.ledger.record(tried(ref(), F + P))
    first = await store.letters.page(ALL, after=None, limit=10)

    await store.ledger.record(tried(ref(), F + F, at=9 * SECOND, count=2))

    assert [each.position for each in first] == [0]
    assert await store.letters.find(HOOK, ref().key.chunk_id, 0) == first[0]
    assert await store.all() == [("job.0", 1, 0, "FAILED"), ("job.0", 0, 0, "FAILED")]


async def test_a_later_round_takes_up_its_rows_and_no_others(store: Store) -> None:
    await store.ledger.record(tried(ref(), F + F + F + U))

    await store.ledger.record(hold(ref(positions=[0, 1, 2], number=1), now=NOW))
    held = await store.all()
    await store.ledger.record(tried(ref(positions=[0, 1, 2], number=1), C + F + C + X))

    assert held == [("job.0", 3, 0, "UNKNOWN")]
    assert await store.all() == [("job.0", 1, 1, "FAILED"), ("job.0", 3, 0, "UNKNOWN")]


async def test_a_later_round_of_all_rows_takes_up_all(store: Store) -> None:
    await store.ledger.record(tried(ref(), F + F))

    await store.ledger.record(tried(ref(number=1), C + C))

    assert await store.all() == []


async def test_an_answer_that_comes_late_brings_no_dead_letter_back(store: Store) -> None:
    await store.ledger.record(tried(ref(), F + P))
    await store.ledger.record(tried(ref(number=1), F + C))

    await store.ledger.record(tried(ref(), F + F, count=2))

    assert ("job.0", 0, 1, "FAILED") in await store.all()


async def test_each_filter_lets_its_own_pass(store: Store) -> None:
    await store.ledger.record(tried(ref("a.0"), F + U, at=SECOND, reasons=[(0, "100% of it_is wrong")]))
    await store.ledger.record(tried(ref("b.0"), F + N, at=2 * SECOND))
    await store.ledger.record(tried(ref("b.0", OTHER), F))

    assert await store.all(states=frozenset({RowState.UNKNOWN, RowState.UNSUPPORTED})) == [
        ("b.0", 1, 0, "UNSUPPORTED"),
        ("a.0", 1, 0, "UNKNOWN"),
    ]
    assert await store.all(since=NOW + 2 * SECOND) == [("b.0", 0, 0, "FAILED"), ("b.0", 1, 0, "UNSUPPORTED")]
    assert await store.all(job_id="a", states=frozenset({RowState.FAILED})) == [("a.0", 0, 0, "FAILED")]
    assert await store.all(chunk_id="b.0", positions=frozenset({1, 7})) == [("b.0", 1, 0, "UNSUPPORTED")]
    assert await store.all(rows=frozenset({(ChunkId("a.0"), 1), (ChunkId("b.0"), 0), (ChunkId("b.0"), 7)})) == [
        ("b.0", 0, 0, "FAILED"),
        ("a.0", 1, 0, "UNKNOWN"),
    ]
    assert await store.all(reason="0% of it_is") == [("a.0", 0, 0, "FAILED")]
    assert await store.all(reason="0_ of it") == []
    assert await store.all(destination_id=OTHER) == [("b.0", 0, 0, "FAILED")]


async def test_pages_go_on_behind_the_last_and_lose_none(store: Store) -> None:
    for index in range(3):
        await store.ledger.record(tried(ref(f"job.{index}"), F + F, at=timedelta(seconds=index // 2)))
    everything = await store.letters.page(ALL, after=None, limit=10)

    found: list[DeadLetter] = []
    after: Place | None = None
    while page := await store.letters.page(ALL, after=after, limit=1):
        found += page
        after = Place(at=page[-1].at, chunk_id=page[-1].chunk_id, position=page[-1].position)

    assert found == everything
    assert len(found) == 6


async def test_what_is_closed_says_so_and_is_listed_only_when_asked_for(store: Store) -> None:
    await store.ledger.record(tried(ref(), F + U))
    closing = Closing(closed_as=ClosedAs.DISCARDED, at=NOW + SECOND, by="admin-1", reason="Дубль")
    failed = replace(ALL, states=frozenset({RowState.FAILED}))

    closed = [await store.letters.close(failed, closing) for _ in range(2)]

    assert closed == [1, 0]
    assert await store.all() == [("job.0", 1, 0, "UNKNOWN")]
    assert await store.all(closed=True) == [("job.0", 0, 0, "FAILED"), ("job.0", 1, 0, "UNKNOWN")]
    letter = await store.letters.find(HOOK, ref().key.chunk_id, 0)
    assert letter is not None
    assert (letter.closing, letter.state) == (closing, RowState.FAILED)
    assert await store.letters.count(HOOK) == 1


async def test_what_is_refuted_is_failed_from_then_on(store: Store) -> None:
    await store.ledger.record(tried(ref(), U + U))

    refuted = await store.letters.refute(replace(ALL, chunk_id="job.0", positions=frozenset({1})), reason="Not there.")

    assert refuted == 1
    letter = await store.letters.find(HOOK, ref().key.chunk_id, 1)
    assert letter is not None
    assert (letter.state, letter.reason) == (RowState.FAILED, "Not there.")

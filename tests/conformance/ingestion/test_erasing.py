"""What an erasure leaves behind, on every store."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.ingestion.domain.erasure import ErasureId, ErasureNotFound, Person, Stage
from services.ingestion.domain.errors import Refused, Unavailable
from services.ingestion.domain.ids import ChunkId, ClientId, chunk_id
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.status import contacts as counted
from services.ingestion.store import erasing
from services.ingestion.store.erasing import SqlErasures
from services.ingestion.store.memory_erasing import MemoryErasures
from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of
from services.ingestion.wire.persons import WrittenContacts
from tests.conformance.ingestion.erasing import PHONE, Erasing
from tests.fixtures.databases import Databases
from tests.unit.ingestion.world import BOOK, PATIENCE, World, client, contact, contacts, memory_store

PENDING, CREATED, REJECTED, FAILED = RowState.PENDING, RowState.CREATED, RowState.REJECTED, RowState.FAILED


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def it(request: pytest.FixtureRequest, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Erasing:
    monkeypatch.setattr(erasing, "PAGE_JOBS", 2)
    store = memory_store()
    erasures: SqlErasures | MemoryErasures = MemoryErasures(store, text=WrittenContacts())
    world = World(store)
    if request.param != "memory":
        database = await databases.open(request.param, MIGRATIONS)
        world = World(SqlStore(database, phones_of=phones_of, patience=PATIENCE))
        erasures = SqlErasures(database, text=WrittenContacts())
    return Erasing.of(world, erasures)


async def test_nothing_of_the_person_is_left_and_everything_of_the_others(it: Erasing) -> None:
    body = [contact(0, unknown="x"), contact(1), contact(2, phone="12"), contact(0)]
    job_id = await it.world.job(body)
    await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED] * 3))
    before = await it.rows(job_id)

    erasure = await it.erased()

    after = await it.rows(job_id)
    assert (erasure.stage, erasure.jobs, erasure.rows, erasure.person) == (Stage.COMPLETED, 1, 2, Person())
    assert after[1:3] == before[1:3]
    for row in (after[0], after[3]):
        assert (row.code, row.message) == ("erased", "Erased on request")
        assert (row.original_phone, row.normalized_phone, row.region, row.unknown) == ("", "", "", b"")
        assert [each.state for each in row.destinations] == [CREATED]
    [chunk] = await it.world.store.chunks([chunk_id(job_id, index=0)], enough=1)
    assert chunk
    assert list(chunk.erased) == [0, 2]
    assert b"79000000000" not in chunk.body
    assert phones_of(chunk.body) == ["", "+79000000001", ""]


async def test_rejected_rows_are_erased_by_the_phone_as_it_was_given(it: Erasing) -> None:
    job_id = await it.world.job([contact(0), contact(1, phone=" 12 "), contact(2, phone="13")])

    erasure = await it.erased("12")

    rejected = await it.world.follow.rejected(job_id, viewer=None)
    assert erasure.rows == 1
    assert [row.row_index for row in rejected] == [2]
    assert (await it.rows(job_id))[1].submitted == b""


async def test_e_mails_are_found_whatever_their_case(it: Erasing) -> None:
    job_id = await it.world.job(
        [
            contact(0, additionalFields={"E-Mail": "Ivan@Example.com", "n": 1}),
            contact(1, additionalFields={"manager": "ivan@example.com"}),
            contact(2, additionalFields={"email": 5}),
        ]
    )

    erasure = await it.erased("", email="IVAN@example.com")

    assert erasure.rows == 1
    assert [row.code for row in await it.rows(job_id)] == ["erased", "", ""]


async def test_what_is_not_sent_yet_is_never_sent(it: Erasing) -> None:
    job_id = await it.world.job(contacts(3))
    await it.ask("89000000001")
    assert await it.work() == [False]

    await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED, PENDING, CREATED]))

    record = await it.world.follow.get(job_id, viewer=None)
    assert [each.states for each in record.deliveries] == [bytes([CREATED, REJECTED, CREATED])]
    assert counted(record.deliveries).sent == 2
    assert [row.row_index for row in await it.rows(job_id, REJECTED)] == [1]
    assert await it.work() == [True]


async def test_a_failed_row_that_is_erased_is_not_tried_again(it: Erasing) -> None:
    job_id = await it.world.job(contacts(2))
    await it.world.tell(it.world.outcome(f"{job_id}.0", [FAILED, FAILED], reasons={0: "no", 1: "no"}))
    await it.erased()

    record, retried = await it.world.retries.retry(job_id, viewer=None)

    assert retried == 1
    assert [list(each.positions) for each in record.deliveries] == [[1]]
    assert record.deliveries[0].reasons == {}


async def test_the_book_is_erased_again_behind_a_delivery_that_was_under_way(it: Erasing) -> None:
    job_id = await it.world.job(contacts(2))
    begun = await it.ask()

    assert await it.work() == [False]
    assert len(it.book.erased) == 1
    await it.world.tell(it.world.outcome(f"{job_id}.0", [PENDING] * 2, final=False))
    assert await it.work() == [False]
    assert len(it.book.erased) == 1
    await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED] * 2, attempt_count=2))
    assert await it.work() == [True]

    assert it.book.erased == [Person(phones=("+79000000000", PHONE))] * 2
    assert (await it.handler.get(begun.erasure_id, viewer=None)).book_contacts == 1


async def test_answers_about_the_persons_chunks_are_forgotten_and_again_behind_a_delivery(it: Erasing) -> None:
    done, open_ = await it.world.job(contacts(1)), await it.world.job(contacts(1))
    others = await it.world.job([contact(1)])
    for job_id in (done, others):
        await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED]))
    await it.ask()

    await it.work()
    await it.world.tell(it.world.outcome(f"{open_}.0", [CREATED]))
    await it.work()

    assert [sorted(each) for each in it.tries.forgotten] == [sorted([f"{done}.0", f"{open_}.0"])] * 2


async def test_answers_are_forgotten_after_all_when_delivery_was_away(it: Erasing) -> None:
    job_id = await it.world.job(contacts(1))
    await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED]))
    await it.ask()

    async def down(chunk_ids: Sequence[ChunkId]) -> None:
        raise Unavailable

    it.tries.forget = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await it.work()
    del it.tries.forget

    assert await it.work() == [True]
    assert it.tries.forgotten == [[f"{job_id}.0"]]


async def test_a_delivery_that_does_not_end_is_not_waited_for_for_ever(it: Erasing) -> None:
    await it.world.job(contacts(1))
    await it.ask()
    await it.work()

    it.world.now += timedelta(minutes=15)

    assert await it.work() == [True]
    assert len(it.book.erased) == 2


async def test_an_erasure_goes_on_where_it_was_interrupted(it: Erasing) -> None:
    jobs = [await it.world.job([contact(0), contact(number)]) for number in range(1, 6)]
    for job_id in jobs:
        await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED] * 2))
        it.world.later(1)
    begun = await it.ask()
    await it.erasures.search(begun, now=it.world.now)

    async def down(person: Person) -> int:
        raise Unavailable

    it.book.erase = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await it.work()
    del it.book.erase
    await it.work()

    erasure = await it.handler.get(begun.erasure_id, viewer=None)
    assert (erasure.stage, erasure.jobs, erasure.rows, erasure.book_contacts) == (Stage.COMPLETED, 5, 5, 1)


async def test_a_client_reaches_its_own_contacts_alone(it: Erasing) -> None:
    own, others = await it.world.job([contact(0)]), await it.world.job([contact(0)], by=client("other"))
    for job_id in (own, others):
        await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED]))

    await it.erased()

    assert [(await it.rows(job_id))[0].code for job_id in (own, others)] == ["erased", ""]


async def test_an_operator_reaches_everyone(it: Erasing) -> None:
    jobs = [await it.world.job([contact(0)], by=client(name)) for name in ("shop", "other")]
    for job_id in jobs:
        await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED]))

    erasure = await it.erased(by=client("admin"), everywhere=True)

    assert erasure.jobs == 2
    assert [(await it.rows(job_id))[0].code for job_id in jobs] == ["erased", "erased"]


async def test_a_client_takes_only_whom_it_sent_out_of_the_book(it: Erasing) -> None:
    elsewhere = await it.world.job([contact(0)], by=client(destinations=["hook"]))
    await it.world.tell(it.world.outcome(f"{elsewhere}.0", [CREATED], destination_id="hook"))

    assert (await it.erased()).rows == 1
    assert (await it.erased("89000000007")).rows == 0
    assert it.book.erased == []
    assert (await it.erased("89000000007", everywhere=True)).book_contacts == 1


async def test_the_same_question_gives_the_open_erasure(it: Erasing) -> None:
    await it.world.job(contacts(1))
    first = await it.ask()

    assert (await it.ask()).erasure_id == first.erasure_id
    assert (await it.ask(by=client("other"))).erasure_id != first.erasure_id
    assert (await it.ask(everywhere=True)).erasure_id != first.erasure_id


async def test_a_client_has_so_many_open_erasures_and_no_more(it: Erasing) -> None:
    for number in range(100):
        await it.ask(f"8900{number:07d}")

    with pytest.raises(Refused) as refused:
        await it.ask("89001111111")

    assert refused.value.reason == "RATE_LIMIT_EXCEEDED"
    assert (await it.ask("89001111111", by=client("other"))).stage is Stage.SEARCHING


async def test_another_clients_erasure_looks_like_none(it: Erasing) -> None:
    begun = await it.ask()

    with pytest.raises(ErasureNotFound):
        await it.handler.get(begun.erasure_id, viewer=ClientId("other"))
    with pytest.raises(ErasureNotFound):
        await it.handler.get(ErasureId("none"), viewer=None)


async def test_chunks_that_wait_for_each_other_still_end(it: Erasing) -> None:
    body = [contact(0), *contacts(1000)[1:], contact(0)]
    job_id = await it.world.job(body)
    await it.ask()
    await it.work()

    await it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED] * 1000))
    await it.world.tell(it.world.outcome(f"{job_id}.1", [FAILED]))

    record = await it.world.follow.get(job_id, viewer=None)
    assert record.completed_at
    assert [each.states.count(REJECTED) for each in record.deliveries] == [1, 1]
    assert await it.work() == [True]


async def test_erasing_while_outcomes_come_loses_neither(it: Erasing) -> None:
    job_id = await it.world.job(contacts(50))
    begun = await it.ask()

    await asyncio.gather(it.handler.advance(begun), it.world.tell(it.world.outcome(f"{job_id}.0", [CREATED] * 50)))
    await it.work()

    record = await it.world.follow.get(job_id, viewer=None)
    assert record.deliveries[0].states.count(PENDING) == 0
    assert (await it.handler.get(begun.erasure_id, viewer=None)).stage is Stage.COMPLETED
    assert record.deliveries[0].destination_id == BOOK
    [chunk] = await it.world.store.chunks([ChunkId(f"{job_id}.0")], enough=1)
    assert chunk
    assert chunk.erased

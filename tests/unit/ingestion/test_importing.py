"""The import use case, step by step, and what is left when a step fails."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from services.ingestion.domain.client import Duplicates, Origin
from services.ingestion.domain.errors import Refused, Unavailable
from services.ingestion.domain.ids import ClientId
from services.ingestion.domain.rows import Normalized, Texts
from services.ingestion.handler.importing import SLICE_ROWS
from services.ingestion.peers.memory import MemoryNormalizer
from services.ingestion.ports.peers import Key, Started
from services.ingestion.ports.store import JobQuery
from tests.unit.ingestion.world import START, World, client, contact, contacts

ALL = JobQuery(limit=100, client_id=None)


async def test_the_answer_is_that_of_the_contract() -> None:
    world = World()

    done = await world.accept([contact(0), contact(1), contact(2, phone="x")])

    assert (done.status, done.replayed) == (202, False)
    assert (
        done.body
        == (
            f'{{"job_id":"{done.job_id}","correlation_id":"request-1","idempotency_status":"created","status":"pending",'
            '"total_contacts":3,"valid_contacts":2,"invalid_contacts":1,"chunks_count":1,'
            '"created_at":"2026-01-15T12:00:00Z"}'
        ).encode()
    )


async def test_the_same_request_again_gets_the_same_bytes() -> None:
    world = World()

    first = await world.accept(b'[{"phone": "89000000000", "tags": []}]', key="k")
    world.later(60)
    again = await world.accept(b'[ {"tags":[], "phone":"89000000000"} ]', key="k", origin=Origin("another"))

    assert (again.status, again.body, again.replayed) == (202, first.body, True)
    assert len(await world.store.newest(ALL)) == 1


async def test_a_key_with_another_payload_is_a_conflict() -> None:
    world = World()
    await world.accept(contacts(1), key="k")
    world.later(60)

    with pytest.raises(Refused) as caught:
        await world.accept(contacts(2), key="k")

    assert (caught.value.reason, caught.value.message) == (
        "IDEMPOTENCY_CONFLICT",
        "Idempotency key reused with different payload",
    )
    assert caught.value.fields == {"existing_created_at": "2026-01-15T12:00:00Z"}


async def test_keys_of_two_clients_have_nothing_to_do_with_each_other() -> None:
    world = World()

    one = await world.accept(contacts(1), key="k", by=client("a"))
    other = await world.accept(contacts(2), key="k", by=client("b"))

    assert one.job_id != other.job_id


async def test_while_the_first_request_runs_the_others_are_told_to_wait() -> None:
    world = World()
    slow = _SlowNormalizer()
    world.imports._normalizer = slow
    first = asyncio.create_task(world.accept(contacts(1), key="k"))
    await slow.asked.wait()
    world.later(3.5)

    with pytest.raises(Refused) as caught:
        await world.accept(contacts(1), key="k")
    slow.go_on.set()

    assert (caught.value.reason, caught.value.retry_after) == ("IDEMPOTENCY_IN_PROGRESS", timedelta(seconds=2))
    assert (await first).status == 202


async def test_an_import_without_a_valid_row_is_refused_row_by_row_and_leaves_nothing() -> None:
    world = World()
    bad = [contact(0, phone="x"), contact(1, phone="y" * 100)]

    with pytest.raises(Refused) as caught:
        await world.accept(bad, key="k")
    accepted = await world.accept(contacts(1), key="k")

    assert (caught.value.reason, caught.value.message) == ("VALIDATION_ERROR", "Request validation failed")
    assert [(fault.pointer, fault.code, fault.message) for fault in caught.value.violations] == [
        ("/0/phone", "not_a_number", "Invalid phone number"),
        ("/1/phone", "not_a_number", "Invalid phone number"),
    ]
    assert accepted.status == 202
    assert "y" not in str(caught.value)


async def test_a_small_import_does_not_wait_behind_a_large_one() -> None:
    world = World()
    fast, slow = world.imports._normalizer, _SlowNormalizer()
    world.imports._normalizer = slow
    large = asyncio.create_task(world.accept(contacts(SLICE_ROWS + 1)))
    await slow.asked.wait()
    world.imports._normalizer = fast

    small = asyncio.create_task(world.accept(contacts(1)))
    for _ in range(50):  # ticks: it waits for nothing
        await asyncio.sleep(0)

    assert (small.done(), large.done()) == (True, False)
    slow.go_on.set()
    assert [(await large).status, (await small).status] == [202, 202]


async def test_a_normaliser_that_is_away_frees_the_key() -> None:
    world = World()
    normalizer, world.imports._normalizer = world.imports._normalizer, _AwayNormalizer()

    with pytest.raises(Unavailable):
        await world.accept(contacts(1), key="k")
    world.imports._normalizer = normalizer
    accepted = await world.accept(contacts(2), key="k")

    assert accepted.status == 202


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same_and_again_by_the_next_caller() -> None:
    world = World()
    complete = world.keys.complete
    world.keys.complete = _unavailable  # type: ignore[method-assign]

    first = await world.accept(contacts(3), key="k")
    world.keys.complete = complete  # type: ignore[method-assign]
    world.later(11)
    second = await world.accept(contacts(3), key="k", origin=Origin("another"))

    assert second.body == first.body
    assert len(await world.store.newest(ALL)) == 1
    assert len(world.heard.tickets) == 1


async def test_a_store_that_fails_keeps_the_key_so_that_the_same_job_is_finished_later() -> None:
    world = World()
    accept = world.store.accept
    world.store.accept = _fail  # type: ignore[method-assign, assignment]
    key = Key(ClientId("shop"), "k")

    with pytest.raises(RuntimeError):
        await world.accept(contacts(1), key="k")
    world.store.accept = accept  # type: ignore[method-assign]
    world.later(11)
    fixed = world.keys._entries[key].job_id
    done = await world.accept(contacts(1), key="k")

    assert done.job_id == fixed


async def test_many_callers_with_one_key_make_one_job() -> None:
    world = World()

    results = await asyncio.gather(*(world.accept(contacts(1), key="k") for _ in range(20)), return_exceptions=True)

    jobs = await world.store.newest(ALL)
    done = [result for result in results if not isinstance(result, BaseException)]
    assert len(jobs) == 1
    assert done
    assert {result.job_id for result in done} == {jobs[0].job.job_id}
    assert {result.reason for result in results if isinstance(result, Refused)} <= {"IDEMPOTENCY_IN_PROGRESS"}


async def test_a_dry_run_goes_all_the_way_but_stores_and_sends_nothing() -> None:
    world = World()

    drafted = await world.imports.rehearse(await world.asked([contact(0), contact(1, phone="x")], key="k"))
    accepted = await world.accept(contacts(1), key="k")

    assert (drafted.job.valid, drafted.job.invalid, len(drafted.chunks)) == (1, 1, 1)
    assert [each.job.job_id for each in await world.store.newest(ALL)] == [accepted.job_id]
    assert len(world.heard.tickets) == 1


async def test_a_dry_run_without_a_valid_row_is_refused_like_the_import_that_it_foretells() -> None:
    world = World()

    with pytest.raises(Refused) as caught:
        await world.imports.rehearse(await world.asked([contact(0, phone="x")]))

    assert caught.value.violations[0].pointer == "/0/phone"


async def test_chunks_are_cut_after_invalid_rows_are_out() -> None:
    world = World()
    rows = contacts(2100)
    for bad in (0, 500, 1500):
        rows[bad]["phone"] = "x"

    job_id = await world.job(rows)

    sizes = [len(each.states) for each in (await _record(world, job_id)).deliveries]
    chunk = await world.store.chunk_after(job_id, row=-1)
    assert sizes == [1000, 1000, 97]
    assert chunk
    assert (chunk.rows[0], chunk.rows[499], chunk.rows[999]) == (1, 501, 1001)
    assert chunk.phones[499] == "+79000000501"


async def test_only_the_last_of_an_identity_is_kept_where_the_client_asks_for_that() -> None:
    world = World()
    body = [contact(0, tags=["old"]), contact(1), contact(0, tags=["new"])]

    done = await world.accept(body, by=client(duplicates=Duplicates.KEEP_LAST))

    rejected = await world.store.rejected_after(done.job_id, row=-1, limit=9)
    chunk = await world.store.chunk_after(done.job_id, row=-1)
    assert chunk
    assert list(chunk.rows) == [1, 2]
    assert chunk.details.duplicate_of == {1: 0}
    assert [(row.row_index, row.code, row.pointer, row.normalized_phone) for row in rejected] == [
        (0, "superseded", "/0", "+79000000000")
    ]
    assert json.loads(rejected[0].submitted)["tags"] == ["old"]


async def test_a_job_is_ordered_only_where_an_identity_lies_in_two_chunks() -> None:
    world = World()

    together = await _record(world, await world.job([contact(0), *contacts(1500)]))
    apart = await _record(world, await world.job([*contacts(1500), contact(0)]))

    assert not together.job.ordered
    assert apart.job.ordered
    assert together.job.created_at == START


async def _record(world: World, job_id: Any) -> Any:
    return await world.store.find(job_id)


class _SlowNormalizer(MemoryNormalizer):
    def __init__(self) -> None:
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def normalize(self, texts: Texts, *, default_region: str) -> Normalized:
        self.asked.set()
        await self.go_on.wait()
        return await super().normalize(texts, default_region=default_region)


class _AwayNormalizer:
    async def normalize(self, texts: Texts, *, default_region: str) -> Normalized:
        raise Unavailable


async def _unavailable(key: Key, held: Started, *, status: int, body: bytes) -> None:
    raise Unavailable


async def _fail(_: object) -> None:
    raise RuntimeError

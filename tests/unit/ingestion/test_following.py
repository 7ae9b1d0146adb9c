"""Jobs and rows as callers see them."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import pytest

from services.ingestion.domain.errors import JobNotFound
from services.ingestion.domain.ids import ClientId, JobId
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.status import JobRecord, JobStatus, job_status
from services.ingestion.handler.following import RowPage, RowQuery
from services.ingestion.publisher.changes import LocalChanges
from services.ingestion.rest.answers import job_body
from tests.unit.ingestion.world import World, client, contact, contacts

C, F, P = RowState.CREATED, RowState.FAILED, RowState.PENDING


async def rows(world: World, job_id: JobId, **query: object) -> RowPage:
    return await world.follow.rows(job_id, RowQuery(**{"limit": 100, **query}), viewer=None)  # type: ignore[arg-type]


async def test_the_job_is_shown_in_the_form_of_the_contract() -> None:
    world = World()
    job_id = await world.job([*contacts(2), contact(2, phone="x")])
    world.later(60)
    await world.tell(world.outcome(f"{job_id}.0", [C, F], error_message="One is refused."))

    body = json.loads(job_body(await world.follow.get(job_id, viewer=ClientId("shop"))))

    assert body == {
        "job_id": job_id,
        "correlation_id": "request-1",
        "status": "completed",
        "total_contacts": 3,
        "valid_contacts": 2,
        "invalid_contacts": 1,
        "sent_contacts": 1,
        "failed_contacts": 1,
        "chunks_total": 1,
        "chunks_completed": 1,
        "chunks_failed": 0,
        "chunks_pending": 0,
        "chunks": [
            {
                "chunk_index": 0,
                "status": "sent",
                "size": 2,
                "attempt_count": 1,
                "last_attempt_at": "2026-01-15T12:01:00Z",
                "sent_at": "2026-01-15T12:01:00Z",
                "response_status_code": 200,
                "error_message": "One is refused.",
            }
        ],
        "created_at": "2026-01-15T12:00:00Z",
        "updated_at": "2026-01-15T12:01:00Z",
        "completed_at": "2026-01-15T12:01:00Z",
        "error_message": None,
    }


async def test_what_has_not_happened_yet_is_null() -> None:
    world = World()
    job_id = await world.job(contacts(1))

    body = json.loads(job_body(await world.follow.get(job_id, viewer=None)))

    nothing = {"last_attempt_at": None, "sent_at": None, "response_status_code": None, "error_message": None}
    assert (body["status"], body["completed_at"], body["error_message"]) == ("pending", None, None)
    assert body["chunks"] == [{"chunk_index": 0, "status": "pending", "size": 1, "attempt_count": 0, **nothing}]
    assert (body["chunks_pending"], body["chunks_completed"]) == (1, 0)


async def test_a_client_sees_its_own_jobs_alone() -> None:
    world = World()
    job_id = await world.job(contacts(1), by=client("shop"))

    for missing, viewer in ((job_id, ClientId("other")), (JobId("none"), None)):
        with pytest.raises(JobNotFound):
            await world.follow.get(missing, viewer=viewer)


async def test_rows_come_by_index_with_the_rejected_ones_among_them() -> None:
    world = World()
    body = [contact(0), contact(1, phone="x", note=1), contact(0, note=2), contact(3)]
    job_id = await world.job(body, by=client(destinations=["b", "a"]))
    await world.tell(world.outcome(f"{job_id}.0", [C, F, C], destination_id="a", reasons={1: "No."}))

    page = await rows(world, job_id)

    assert [row.row_index for row in page.rows] == [0, 1, 2, 3]
    rejected, duplicate = page.rows[1], page.rows[2]
    assert (rejected.code, rejected.pointer, rejected.message) == (
        "not_a_number",
        "/1/phone",
        "Invalid phone number",
    )
    assert json.loads(rejected.submitted) == body[1]
    assert json.loads(rejected.unknown) == {"note": 1}
    assert [(each.destination_id, each.state) for each in rejected.destinations] == [("", RowState.REJECTED)]
    assert (duplicate.original_phone, duplicate.normalized_phone) == ("89000000000", "+79000000000")
    assert (duplicate.duplicate_of, json.loads(duplicate.unknown)) == (0, {"note": 2})
    assert [(each.destination_id, each.state, each.reason) for each in duplicate.destinations] == [
        ("a", F, "No."),
        ("b", P, ""),
    ]


@pytest.mark.parametrize(
    ("state", "indexes"), [(C, [0, 3, 1001, 1002]), (F, [2]), (RowState.REJECTED, [1, 1000]), (RowState.UNKNOWN, [])]
)
async def test_rows_are_found_by_their_state(state: RowState, indexes: list[int]) -> None:
    world = World()
    body = contacts(1003)
    body[1]["phone"] = body[1000]["phone"] = "x"
    job_id = await world.job(body)
    await world.tell(
        world.outcome(f"{job_id}.0", [C, F, C, *([P] * 997)], final=False), world.outcome(f"{job_id}.1", [C])
    )
    await world.tell(world.outcome(f"{job_id}.0", [C, F, C, *([P] * 996), C], final=False, attempt_count=2))

    page = await rows(world, job_id, state=state)

    assert [row.row_index for row in page.rows] == indexes


async def test_pages_follow_each_other_without_a_gap() -> None:
    world = World()
    body = contacts(2050)
    for bad in (0, 7, 999, 1000, 2049):
        body[bad]["phone"] = "x"
    job_id = await world.job(body)

    seen, after, more = [], -1, True
    while more:
        page = await rows(world, job_id, after=after, limit=333)
        seen += [row.row_index for row in page.rows]
        after, more = seen[-1], page.more

    assert seen == list(range(2050))


async def ahead(watched: AsyncIterator[JobRecord]) -> JobRecord:
    async with asyncio.timeout(10):
        return await anext(watched)


async def test_a_watcher_sees_the_job_now_at_every_change_and_no_longer_than_its_end() -> None:
    world = World()
    job_id = await world.job(contacts(1001))
    watched = world.follow.watch(job_id, viewer=None)

    seen = [await ahead(watched)]
    for index, size in ((0, 1000), (1, 1)):
        changed = asyncio.create_task(ahead(watched))
        await asyncio.sleep(0)
        world.later(1)
        await world.tell(world.outcome(f"{job_id}.{index}", [C] * size))
        seen.append(await changed)

    assert [job_status(each.deliveries) for each in seen] == [
        JobStatus.PENDING,
        JobStatus.PROCESSING,
        JobStatus.COMPLETED,
    ]
    with pytest.raises(StopAsyncIteration):
        await ahead(watched)
    assert not world.changes._watchers


async def test_a_watcher_sees_what_another_replica_was_told() -> None:
    world = World()
    job_id = await world.job(contacts(1))
    watched = world.follow.watch(job_id, viewer=None)
    await ahead(watched)

    await world.store.record([world.outcome(f"{job_id}.0", [C])], now=world.later(1))

    assert job_status((await ahead(watched)).deliveries) is JobStatus.COMPLETED


def test_a_watcher_looks_soon_at_first_and_then_ever_less_often() -> None:
    pauses = LocalChanges()._pauses()

    assert list(itertools.islice(pauses, 7)) == [0.25, 0.5, 1, 2, 4, 5, 5]


async def test_a_watcher_of_an_unknown_job_is_told_so() -> None:
    with pytest.raises(JobNotFound):
        await ahead(World().follow.watch(JobId("none"), viewer=None))


async def test_chunks_are_given_up_to_four_mebibytes_and_at_least_one() -> None:
    world = World()
    large = {"additionalFields": {"text": "x" * (3 << 20)}}
    jobs = [await world.job([contact(0, **large)]) for _ in range(2)]
    asked = [f"{job}.0" for job in jobs]

    both = await world.delivery.fetch(asked)  # type: ignore[arg-type]
    unknown = await world.delivery.fetch(["none.0", asked[1]])  # type: ignore[list-item]

    assert [each and each.chunk_id for each in both] == asked[:1]
    assert [each and each.chunk_id for each in unknown] == [None, asked[1]]

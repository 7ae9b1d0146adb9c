"""What operators look for: jobs by their states and by a phone, and what came in of late."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.ingestion.domain.activity import MinuteActivity
from services.ingestion.domain.ids import ClientId
from services.ingestion.domain.outcome import RowState
from services.ingestion.domain.status import JobStatus
from services.ingestion.handler import looking
from services.ingestion.handler.following import RowQuery
from services.ingestion.handler.looking import JobFilter, JobPage
from services.ingestion.ports.store import JobQuery
from tests.unit.ingestion.world import START, World, client, contact, contacts

CREATED, FAILED = RowState.CREATED, RowState.FAILED
MINUTE = timedelta(minutes=1)
ALL = JobQuery(limit=50, client_id=None)


def ids(page: JobPage) -> list[str]:
    return [record.job.job_id for record in page.records]


def behind(page: JobPage) -> JobQuery:
    assert page.looked_at
    return replace(ALL, before=(page.looked_at.job.created_at, page.looked_at.job.job_id))


async def test_jobs_are_found_by_what_became_of_them(world: World) -> None:
    taken, lost, open_ = [await world.job(contacts(2)) for _ in range(3)]
    rejected = await world.job([contact(0), contact(1, phone="nonsense")])
    await world.tell(world.outcome(f"{taken}.0", [CREATED, CREATED]), world.outcome(f"{lost}.0", [FAILED, FAILED]))
    await world.tell(world.outcome(f"{rejected}.0", [CREATED]))

    completed = await world.look.look(ALL, JobFilter(statuses=frozenset({JobStatus.COMPLETED})))
    waiting = await world.look.look(ALL, JobFilter(statuses=frozenset({JobStatus.PENDING, JobStatus.PROCESSING})))
    with_losses = await world.look.look(ALL, JobFilter(with_losses=True))

    assert set(ids(completed)) == {taken, rejected}
    assert ids(waiting) == [open_]
    assert set(ids(with_losses)) == {lost, rejected}


async def test_jobs_are_found_by_a_phone_in_any_spelling(world: World) -> None:
    first = await world.job(contacts(3))
    world.later(1)
    await world.job([contact(7)])
    world.later(1)
    second = await world.job([contact(2), contact(8)])

    found = await world.look.look(ALL, JobFilter(phone="89000000002"))
    spelled = await world.look.look(ALL, JobFilter(phone="+79000000002"))

    assert ids(found) == ids(spelled) == [second, first]
    assert not found.more


async def test_a_job_is_found_by_a_phone_that_was_rejected_as_it_was_given(world: World) -> None:
    job_id = await world.job([contact(0, phone="nonsense"), contact(1)])

    found = await world.look.look(ALL, JobFilter(phone="nonsense"))
    nothing = await world.look.look(ALL, JobFilter(phone="nonsens"))

    assert (ids(found), ids(nothing)) == ([job_id], [])


async def test_one_look_ends_after_so_many_jobs_and_the_next_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_JOBS", 3)
    made = []
    for number in range(7):
        made.append(await world.job([contact(number)]))
        world.later(1)
    sought = JobFilter(phone="89000000000")

    pages = [await world.look.look(ALL, sought)]
    while pages[-1].more:
        pages.append(await world.look.look(behind(pages[-1]), sought))

    assert [ids(page) for page in pages] == [[], [], [made[0]]]


async def test_pages_of_what_is_looked_for_hold_every_job_once(world: World) -> None:
    for _ in range(5):
        await world.job(contacts(1))
        world.later(1)

    page = await world.look.look(JobQuery(limit=2, client_id=None), JobFilter())
    found = ids(page)
    while page.more:
        page = await world.look.look(replace(behind(page), limit=2), JobFilter())
        found += ids(page)

    assert len(found) == len(set(found)) == 5


async def test_only_a_clients_own_jobs_are_looked_through(world: World) -> None:
    await world.job(contacts(1))
    own = await world.job(contacts(1), by=client("other"))

    page = await world.look.look(JobQuery(limit=9, client_id=ClientId("other")), JobFilter())

    assert ids(page) == [own]


async def test_minutes_tell_what_came_in_and_what_was_done(world: World) -> None:
    job_id = await world.job([contact(0), contact(1), contact(2, phone="nonsense")])
    world.later(60)
    await world.job(contacts(1))
    await world.tell(world.outcome(f"{job_id}.0", [CREATED, CREATED]))

    told = await world.activity.tell(minutes=3)

    assert told == [
        MinuteActivity(started_at=START - MINUTE),
        MinuteActivity(started_at=START, jobs=1, rows=3, rejected_rows=1),
        MinuteActivity(started_at=START + MINUTE, jobs=1, rows=1, completed_jobs=1, completed_rows=2),
    ]
    assert await world.activity.unfinished() == 1


async def test_minutes_stay_right_as_time_goes_on(world: World) -> None:
    for _ in range(30):
        await world.job(contacts(1))
        await world.activity.tell(minutes=60)
        world.later(30)

    told = await world.activity.tell(minutes=60)

    assert [each.jobs for each in told if each.started_at >= START] == [2] * 15 + [0]
    assert len(told) == 60


async def test_rows_of_a_job_are_found_by_a_phone(world: World) -> None:
    job_id = await world.job([*contacts(3), contact(1), contact(4, phone="nonsense")])

    same = RowQuery(limit=9, phone=await world.look.read_phone("+79000000001", region=""))
    odd = RowQuery(limit=9, phone=await world.look.read_phone("nonsense", region=""))

    assert [row.row_index for row in (await world.follow.rows(job_id, same, viewer=None)).rows] == [1, 3]
    assert [row.row_index for row in (await world.follow.rows(job_id, odd, viewer=None)).rows] == [4]

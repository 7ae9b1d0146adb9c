"""What operators look for in what is kept: jobs by a phone, and what came in of late."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, bindparam, func, or_, select

from libs.storage import Database, Statement, any_of, from_micros, table_of, to_micros
from services.ingestion.domain.activity import MINUTE, MinuteActivity
from services.ingestion.domain.ids import JobId
from services.ingestion.ports.store import SoughtPhone
from services.ingestion.store.erasing_statements import BODIES
from services.ingestion.store.tables import COMPLETED, JobRow, RejectedRowRow

_MINUTE_MICROS = MINUTE.seconds * 1_000_000
_jobs, _rejected = table_of(JobRow), table_of(RejectedRowRow)
_job = _jobs.c

_REJECTED = Statement(
    select(_rejected.c.job_id)
    .where(
        any_of(_rejected.c.job_id, "job_ids"),
        or_(_rejected.c.normalized_phone == bindparam("e164"), _rejected.c.original_phone == bindparam("given")),
        _rejected.c.original_phone != "",
    )
    .distinct(),
    "job_ids",
    "e164",
    "given",
)
_since, _until = bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)
_accepted_minute, _completed_minute = _job.created_at // _MINUTE_MICROS, _job.completed_at // _MINUTE_MICROS
_ACCEPTED = Statement(
    select(_accepted_minute, func.count(), func.sum(_job.total), func.sum(_job.valid))
    .where(_job.created_at >= _since, _job.created_at < _until)
    .group_by(_accepted_minute),
    "since",
    "until",
)
_COMPLETED = Statement(
    select(_completed_minute, func.count(), func.sum(_job.valid))
    .where(COMPLETED, _job.completed_at >= _since, _job.completed_at < _until)
    .group_by(_completed_minute),
    "since",
    "until",
)


async def holding(database: Database, phone: SoughtPhone, job_ids: Sequence[JobId]) -> frozenset[JobId]:
    """Those of the jobs that have a row with the phone."""
    found = {row[0] for row in await database.fetch(_REJECTED, (list(job_ids), phone.e164 or phone.given, phone.given))}
    needle = f'"{phone.e164}"'.encode()
    if phone.e164:
        for job_id, body in await database.fetch(BODIES, (list(job_ids),)):
            await asyncio.sleep(0)  # an import need not wait for all of them
            if job_id not in found and needle in body:
                found.add(job_id)
    return frozenset(map(JobId, found))


async def activity(database: Database, since: datetime, until: datetime) -> Sequence[MinuteActivity]:
    """The minutes that have anything to tell, in their order."""
    range_ = to_micros(since), to_micros(until)
    accepted = {row[0]: tuple(map(int, row[1:])) for row in await database.fetch(_ACCEPTED, range_)}
    completed = {row[0]: tuple(map(int, row[1:])) for row in await database.fetch(_COMPLETED, range_)}
    return [
        _minute(number, accepted.get(number, (0, 0, 0)), completed.get(number, (0, 0)))
        for number in sorted(accepted.keys() | completed.keys())
    ]


def _minute(number: int, accepted: Sequence[int], completed: Sequence[int]) -> MinuteActivity:
    jobs, rows, valid = accepted
    completed_jobs, completed_rows = completed
    return MinuteActivity(
        started_at=from_micros(number * _MINUTE_MICROS),
        jobs=jobs,
        rows=rows,
        rejected_rows=rows - valid,
        completed_jobs=completed_jobs,
        completed_rows=completed_rows,
    )

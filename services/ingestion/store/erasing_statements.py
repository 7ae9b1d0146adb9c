"""What erasures ask the database, written once for both kinds."""

from functools import cache

from sqlalchemy import BigInteger, ColumnElement, Integer, Table, bindparam, case, delete, func, select, tuple_, update

from libs.storage import Statement, any_of, table_of
from services.ingestion.store.tables import (
    AwaitedChunkRow,
    ChunkDeliveryRow,
    ChunkRow,
    ErasureRow,
    JobRow,
    RejectedRowRow,
)

_erasures, _awaited = table_of(ErasureRow), table_of(AwaitedChunkRow)
_jobs, _chunks, _rejected = table_of(JobRow), table_of(ChunkRow), table_of(RejectedRowRow)
_deliveries = table_of(ChunkDeliveryRow)
_erasure, _job, _chunk, _delivery = _erasures.c, _jobs.c, _chunks.c, _deliveries.c

COLUMNS = tuple(column.name for column in _erasures.columns)
_OPEN = _erasure.stage < 3
_OLDEST_FIRST = (_erasure.created_at, _erasure.erasure_id)

PUT = Statement(lambda insert: insert(ErasureRow).values({name: bindparam(name) for name in COLUMNS}), *COLUMNS)
FIND = Statement(select(*_erasures.columns).where(_erasure.erasure_id == bindparam("erasure_id")), "erasure_id")
UNFINISHED = Statement(select(*_erasures.columns).where(_OPEN).order_by(*_OLDEST_FIRST))
UNFINISHED_OF = Statement(
    select(*_erasures.columns).where(_OPEN, _erasure.client_id == bindparam("client_id")).order_by(*_OLDEST_FIRST),
    "client_id",
)
# What was counted in the book is only ever added to: another process may be at the same erasure.
KEEP = Statement(
    update(_erasures)
    .where(_erasure.erasure_id == bindparam("of_erasure"), _OPEN)
    .values({name: bindparam(f"new_{name}") for name in ("person", "stage", "settles_until", "completed_at")})
    .values(
        book_contacts=case(
            (_erasure.book_contacts < bindparam("book", type_=Integer), bindparam("book", type_=Integer)),
            else_=_erasure.book_contacts,
        )
    ),
    "of_erasure",
    *(f"new_{name}" for name in ("person", "stage", "settles_until", "completed_at")),
    "book",
)
MOVE_ON = Statement(
    update(_erasures)
    .where(_erasure.erasure_id == bindparam("of_erasure"))
    .values(place_created_at=bindparam("created_at"), place_job_id=bindparam("job_id")),
    "of_erasure",
    "created_at",
    "job_id",
)
COUNT = Statement(
    update(_erasures)
    .where(_erasure.erasure_id == bindparam("of_erasure"))
    .values(
        jobs=_erasure.jobs + 1,
        rows=_erasure.rows + bindparam("more_rows", type_=Integer),
        sent_to_book=case((_erasure.sent_to_book < bindparam("book", type_=Integer), 1), else_=_erasure.sent_to_book),
    ),
    "of_erasure",
    "more_rows",
    "book",
)


def _weight(table: Table, column: ColumnElement[bytes]) -> ColumnElement[int]:
    weighed = select(func.coalesce(func.sum(func.length(column)), 0)).where(table.c.job_id == _job.job_id)
    return weighed.correlate(_jobs).scalar_subquery()


@cache
def jobs_behind(*, client: bool, place: bool) -> Statement:
    """Jobs with the bytes they hold, newest first; parameters limit, then client_id, created_at, job_id as asked."""
    weight = _weight(_chunks, _chunk.body) + _weight(_rejected, _rejected.c.submitted)
    query = select(_job.job_id, _job.created_at, weight).order_by(_job.created_at.desc(), _job.job_id.desc())
    query, names = query.limit(bindparam("limit", type_=Integer)), ["limit"]
    if client:
        query, names = query.where(_job.client_id == bindparam("client_id")), [*names, "client_id"]
    if place:
        behind = tuple_(bindparam("created_at", type_=BigInteger), bindparam("job_id", type_=_job.job_id.type))
        query, names = query.where(tuple_(_job.created_at, _job.job_id) < behind), [*names, "created_at", "job_id"]
    return Statement(query, *names)


BODIES = Statement(select(_chunk.job_id, _chunk.body).where(any_of(_chunk.job_id, "job_ids")), "job_ids")
REJECTED = Statement(
    select(*(column for column in _rejected.columns))
    .where(any_of(_rejected.c.job_id, "job_ids"), _rejected.c.code != "erased")
    .order_by(_rejected.c.job_id, _rejected.c.row_index),
    "job_ids",
)
CHUNKS = Statement(
    select(_chunk.chunk_index, _chunk.body, _chunk.details, _chunk.erased)
    .where(_chunk.job_id == bindparam("job_id"))
    .order_by(_chunk.chunk_index),
    "job_id",
)
REWRITE_CHUNK = Statement(
    update(_chunks)
    .where(_chunk.job_id == bindparam("at_job_id"), _chunk.chunk_index == bindparam("at_chunk_index"))
    .values({name: bindparam(f"new_{name}") for name in ("body", "details", "erased")}),
    "at_job_id",
    "at_chunk_index",
    *(f"new_{name}" for name in ("body", "details", "erased")),
)
SPARE = Statement(
    update(_deliveries)
    .where(*(_delivery[name] == bindparam(f"at_{name}") for name in ("job_id", "chunk_index", "destination_id")))
    .values(states=bindparam("new_states"), reasons=bindparam("new_reasons")),
    *(f"at_{name}" for name in ("job_id", "chunk_index", "destination_id")),
    "new_states",
    "new_reasons",
)
_BLANKED = ("original_phone", "normalized_phone", "region", "decided_by", "code", "message", "submitted", "unknown")
BLANK_REJECTED = Statement(
    update(_rejected)
    .where(_rejected.c.job_id == bindparam("at_job_id"), _rejected.c.row_index == bindparam("at_row_index"))
    .values({name: bindparam(f"new_{name}") for name in _BLANKED}),
    "at_job_id",
    "at_row_index",
    *(f"new_{name}" for name in _BLANKED),
)
TOUCH_JOB = Statement(
    update(_jobs)
    .where(_job.job_id == bindparam("at_job_id"))
    .values(updated_at=bindparam("now", type_=BigInteger))
    .returning(_job.destination_ids),
    "at_job_id",
    "now",
)
AWAIT = Statement(
    lambda insert: (
        insert(AwaitedChunkRow)
        .values({name: bindparam(name) for name in ("erasure_id", "job_id", "chunk_index")})
        .on_conflict_do_nothing()
    ),
    "erasure_id",
    "job_id",
    "chunk_index",
)
STILL_AWAITED = Statement(
    select(_awaited.c.job_id)
    .join_from(
        _awaited,
        _deliveries,
        (_awaited.c.job_id == _delivery.job_id) & (_awaited.c.chunk_index == _delivery.chunk_index),
    )
    .where(_awaited.c.erasure_id == bindparam("erasure_id"), _delivery.state < 3)
    .limit(1),
    "erasure_id",
)
AWAITED = Statement(
    select(_awaited.c.job_id, _awaited.c.chunk_index)
    .where(_awaited.c.erasure_id == bindparam("erasure_id"))
    .order_by(_awaited.c.job_id, _awaited.c.chunk_index),
    "erasure_id",
)
FORGET_AWAITED = Statement(delete(_awaited).where(_awaited.c.erasure_id == bindparam("erasure_id")), "erasure_id")

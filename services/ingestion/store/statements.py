"""What the store asks its database, written once for both kinds."""

from functools import cache

from sqlalchemy import BigInteger, Integer, bindparam, case, func, literal_column, null, select, tuple_, update

from libs.storage import Statement, any_of, any_row_of, table_of
from services.ingestion.store.tables import OPEN, ChunkDeliveryRow, ChunkRow, JobRow, RejectedRowRow

_jobs = table_of(JobRow)
_chunks = table_of(ChunkRow)
_rejected = table_of(RejectedRowRow)
_deliveries = table_of(ChunkDeliveryRow)

_job, _chunk, _delivery = _jobs.c, _chunks.c, _deliveries.c

_NOT_INSERTED = {"published_at", "completed_at"}
_JOB_COLUMNS = [column for column in _jobs.columns if column.name != "open_deliveries"]
_DELIVERY_COLUMNS = [column for column in _deliveries.columns if column.name not in {"published_at", "due_at"}]
_TICKET_COLUMNS = [
    _delivery.job_id,
    _delivery.chunk_index,
    _delivery.destination_id,
    _delivery.round,
    _delivery.positions,
    _job.correlation_id,
    _job.traceparent,
]
_INSERTED_JOB = [column.name for column in _jobs.columns if column.name not in _NOT_INSERTED]
_INSERTED_DELIVERY = [column.name for column in _deliveries.columns if column.name not in _NOT_INSERTED]
_KEY = ("job_id", "chunk_index", "destination_id")

PUT_JOB = Statement(
    lambda insert: insert(JobRow).values({name: bindparam(name) for name in _INSERTED_JOB}).on_conflict_do_nothing(),
    *_INSERTED_JOB,
)
PUT_CHUNK = Statement(
    lambda insert: insert(ChunkRow).values({name: bindparam(name) for name in _chunks.columns.keys()}),  # noqa: SIM118 - not a dict
    *_chunks.columns.keys(),
)
PUT_REJECTED = Statement(
    lambda insert: insert(RejectedRowRow).values({name: bindparam(name) for name in _rejected.columns.keys()}),  # noqa: SIM118 - as above
    *_rejected.columns.keys(),
)
PUT_DELIVERY = Statement(
    lambda insert: insert(ChunkDeliveryRow).values({name: bindparam(name) for name in _INSERTED_DELIVERY}),
    *_INSERTED_DELIVERY,
)

FIND_JOB = Statement(select(*_JOB_COLUMNS).where(_job.job_id == bindparam("job_id")), "job_id")
DELIVERIES_OF_JOBS = Statement(
    select(*_DELIVERY_COLUMNS)
    .where(any_of(_delivery.job_id, "job_ids"))
    .order_by(_delivery.job_id, _delivery.chunk_index, _delivery.destination_id),
    "job_ids",
)
LOCK_DELIVERIES_OF_JOB = Statement(
    select(*_DELIVERY_COLUMNS)
    .where(_delivery.job_id == bindparam("job_id"))
    .order_by(_delivery.chunk_index, _delivery.destination_id)
    .with_for_update(),
    "job_id",
)
# Whoever locks several does so in this order.
LOCK_THESE = Statement(
    select(*_DELIVERY_COLUMNS, _job.ordered, _job.correlation_id, _job.traceparent)
    .join_from(_deliveries, _jobs, _delivery.job_id == _job.job_id)
    .where(any_row_of([_delivery[name] for name in _KEY], "places"))
    .order_by(*(_delivery[name] for name in _KEY))
    .with_for_update(of=_deliveries),
    "places",
)
# In the order of an inserted row, so that both are made by the same function.
KEEP_DELIVERY = Statement(
    update(_deliveries)
    .where(*(_delivery[name] == bindparam(f"at_{name}") for name in _KEY))
    .values({name: bindparam(name) for name in _INSERTED_DELIVERY if name not in _KEY}),
    *(f"at_{name}" for name in _KEY),
    *(name for name in _INSERTED_DELIVERY if name not in _KEY),
)
# A new round, or a delivery that is held no more, is to be made known again.
UNPUBLISH = Statement(
    update(_deliveries).where(*(_delivery[name] == bindparam(name) for name in _KEY)).values(published_at=null()), *_KEY
)
# Only the columns of the table itself: SQLite returns no others.
RELEASE = Statement(
    update(_deliveries)
    .where(*(_delivery[name] == bindparam(f"at_{name}") for name in _KEY), _delivery.held == 1)
    .values(held=0, due_at=bindparam("due_at"))
    .returning(*_TICKET_COLUMNS[:5]),
    *(f"at_{name}" for name in _KEY),
    "due_at",
)
_left = _job.open_deliveries - bindparam("done", type_=Integer)
# done is negative when deliveries are opened again.
TOUCH_JOB = Statement(
    update(_jobs)
    .where(_job.job_id == bindparam("at_job_id"))
    .values(
        open_deliveries=_left,
        updated_at=bindparam("now", type_=BigInteger),
        completed_at=case((_left == 0, bindparam("now", type_=BigInteger)), else_=None),
    ),
    "at_job_id",
    "done",
    "now",
)

CHUNK_AFTER = Statement(
    select(_chunk.chunk_index, _chunk.row_indexes, _chunk.body, _chunk.details, _chunk.erased)
    .where(_chunk.job_id == bindparam("job_id"), _chunk.last_row > bindparam("row"))
    .order_by(_chunk.chunk_index)
    .limit(1),
    "job_id",
    "row",
)
DELIVERIES_OF_CHUNK = Statement(
    select(*_DELIVERY_COLUMNS)
    .where(_delivery.job_id == bindparam("job_id"), _delivery.chunk_index == bindparam("chunk_index"))
    .order_by(_delivery.destination_id),
    "job_id",
    "chunk_index",
)
REJECTED_AFTER = Statement(
    select(*(column for column in _rejected.columns if column.name != "job_id"))
    .where(_rejected.c.job_id == bindparam("job_id"), _rejected.c.row_index > bindparam("row"))
    .order_by(_rejected.c.row_index)
    .limit(bindparam("limit", type_=Integer)),
    "job_id",
    "row",
    "limit",
)
_CHUNK_KEY = (_chunk.job_id, _chunk.chunk_index)
SIZES_OF_CHUNKS = Statement(
    select(*_CHUNK_KEY, func.length(_chunk.body)).where(any_row_of(_CHUNK_KEY, "places")), "places"
)
_fetched = (
    select(
        *_CHUNK_KEY,
        _job.client_id,
        _chunk.row_indexes,
        _chunk.body,
        _job.correlation_id,
        _job.created_at,
        _chunk.erased,
        _job.workspace_id,
        _job.source_id,
    )
    .join_from(_chunks, _jobs, _chunk.job_id == _job.job_id)
    .where(any_row_of(_CHUNK_KEY, "places"))
)
FETCH_CHUNKS = Statement(_fetched, "places")
_weighed = _chunks.alias("weighed").c
_weight = (
    select(func.sum(func.length(_weighed.body)))
    .where(any_row_of((_weighed.job_id, _weighed.chunk_index), "places"))
    .scalar_subquery()
)
# None of them when they have more bytes than that together.
FETCH_CHUNKS_UP_TO = Statement(_fetched.where(_weight <= bindparam("enough", type_=BigInteger)), "places", "enough")

_waiting = (
    select(*_TICKET_COLUMNS)
    .join_from(_deliveries, _jobs, _delivery.job_id == _job.job_id)
    .where(_delivery.state < 3, _delivery.held == 0)
    .order_by(_delivery.due_at)
    .limit(bindparam("limit", type_=Integer))
)
UNPUBLISHED = Statement(_waiting.where(_delivery.published_at.is_(None)), "limit")
OVERDUE = Statement(_waiting.where(_delivery.due_at <= bindparam("now")), "now", "limit")
_unpublished = _delivery.published_at.is_(None)
# OPEN with its numbers in the text, so that its index is used: the finished ones are many.
DEPTH = Statement(
    select(func.count(), func.count(case((_unpublished, 1))), func.min(case((_unpublished, _delivery.due_at)))).where(
        OPEN, _delivery.due_at > literal_column("0")
    )
)
_until = bindparam("until", type_=BigInteger)
# An outcome that came first may have put the time off further.
PUBLISHED = Statement(
    update(_deliveries)
    .where(*(_delivery[name] == bindparam(f"at_{name}") for name in (*_KEY, "round")))
    .values(
        published_at=bindparam("published_at"), due_at=case((_delivery.due_at < _until, _until), else_=_delivery.due_at)
    ),
    *(f"at_{name}" for name in (*_KEY, "round")),
    "published_at",
    "until",
)


@cache
def jobs_like(*, client: bool, correlation: bool, before: bool) -> Statement:
    """Jobs, newest first; parameters limit, then client_id, correlation_id, created_at and job_id, as asked for."""
    query = select(*_JOB_COLUMNS).order_by(_job.created_at.desc(), _job.job_id.desc())
    query, names = query.limit(bindparam("limit", type_=Integer)), ["limit"]
    for asked, column in ((client, _job.client_id), (correlation, _job.correlation_id)):
        if asked:
            query, names = query.where(column == bindparam(column.name)), [*names, column.name]
    if before:
        place = tuple_(bindparam("created_at", type_=BigInteger), bindparam("job_id", type_=_job.job_id.type))
        query, names = query.where(tuple_(_job.created_at, _job.job_id) < place), [*names, "created_at", "job_id"]
    return Statement(query, *names)

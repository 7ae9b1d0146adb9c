"""What the store asks its database, written once for both kinds."""

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Text,
    bindparam,
    cast,
    delete,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.sql.base import Executable

from libs.storage import Insert, Statement, any_of, listed, table_of
from services.source_polling.store.rows import TALLY
from services.source_polling.store.tables import KnownContactRow, ParcelRow, RunRow, SkipRow, SourceRow

_sources, _runs, _skips = table_of(SourceRow), table_of(RunRow), table_of(SkipRow)
_parcels, _contacts = table_of(ParcelRow), table_of(KnownContactRow)
_S, _R, _C = _sources.c, _runs.c, _contacts.c

_SOURCE_COLUMNS = tuple(_sources.columns.keys())
_RUN_COLUMNS = tuple(_runs.columns.keys())
_CHANGED_SOURCE = ("name", "settings", "sealed_secrets", "enabled", "next_run_at")
_OPEN = ("running", "waiting")
_is_open = or_(*(_R.status == status for status in _OPEN))

# Of a run: what its holder may write. Not who holds it.
STEP = (
    "status", "phase", "page_cursor", "fingerprint", "begun_at", "parcels", *TALLY, "due_at", "ended_at", "message",
)  # fmt: skip

ALL_SOURCES = Statement(select(_sources).order_by(_S.name, _S.source_id))
FIND_SOURCE = Statement(select(_sources).where(_S.source_id == bindparam("source_id")), "source_id")
PUT_SOURCE = Statement(
    lambda insert: (
        insert(_sources).values({name: bindparam(name) for name in _SOURCE_COLUMNS}).on_conflict_do_nothing()
    ),
    *_SOURCE_COLUMNS,
)
CHANGE_SOURCE = Statement(
    update(_sources)
    .where(_S.source_id == bindparam("of_source"))
    .values({name: bindparam(name) for name in _CHANGED_SOURCE}),
    "of_source",
    *_CHANGED_SOURCE,
)
SET_CURSOR = Statement(
    update(_sources).where(_S.source_id == bindparam("of_source")).values(cursor=bindparam("at")), "of_source", "at"
)
FORGET_CURSOR = Statement(
    update(_sources).where(_S.source_id == bindparam("of_source")).values(cursor=null()), "of_source"
)
PLAN = Statement(
    update(_sources).where(_S.source_id == bindparam("of_source"), _S.enabled == 1).values(next_run_at=bindparam("at")),
    "of_source",
    "at",
)
DELETE_SOURCE = Statement(delete(_sources).where(_S.source_id == bindparam("source_id")), "source_id")
_runs_of_source = select(_R.run_id).where(_R.source_id == bindparam("source_id"))
DELETE_WHAT_IT_LEFT = (
    Statement(delete(_skips).where(_skips.c.run_id.in_(_runs_of_source)), "source_id"),
    Statement(delete(_parcels).where(_parcels.c.run_id.in_(_runs_of_source)), "source_id"),
    Statement(delete(_runs).where(_R.source_id == bindparam("source_id")), "source_id"),
    Statement(delete(_contacts).where(_C.source_id == bindparam("source_id")), "source_id"),
)

_older = (_R.source_id == bindparam("source_id"), _R.number <= bindparam("up_to", type_=Integer))
FORGET_OLDER = (
    Statement(delete(_skips).where(_skips.c.run_id.in_(select(_R.run_id).where(*_older))), "source_id", "up_to"),
    Statement(delete(_runs).where(*_older), "source_id", "up_to"),
)

LOCK_SOURCE = Statement(
    select(_S.source_id).where(_S.source_id == bindparam("source_id")).with_for_update(), "source_id"
)
LAST_NUMBER = Statement(
    select(func.coalesce(func.max(_R.number), 0)).where(_R.source_id == bindparam("source_id")), "source_id"
)
PUT_RUN = Statement(
    lambda insert: insert(_runs).values({name: bindparam(name) for name in _RUN_COLUMNS}).on_conflict_do_nothing(),
    *_RUN_COLUMNS,
)
FIND_RUN = Statement(
    select(_runs).where(_R.run_id == bindparam("run_id"), _R.source_id == bindparam("source_id")),
    "run_id",
    "source_id",
)
LOCK_RUN = Statement(select(_runs).where(_R.run_id == bindparam("run_id")).with_for_update(), "run_id")
OPEN_RUN_OF = Statement(select(_runs).where(_R.source_id == bindparam("source_id"), _is_open), "source_id")
HELD_RUNS_OF = Statement(
    select(_runs).where(_R.source_id == bindparam("source_id"), _R.status == "held").with_for_update(), "source_id"
)
OPEN_RUNS = Statement(select(_runs).where(_is_open).order_by(_R.due_at))
NEWEST = Statement(
    select(_runs)
    .where(_R.source_id == bindparam("source_id"), _R.number < bindparam("before"))
    .order_by(_R.number.desc())
    .limit(bindparam("most", type_=Integer)),
    "source_id",
    "before",
    "most",
)
# Whoever holds the run, and nobody else: the fence grows with every holder.
WRITE_STEP = Statement(
    update(_runs)
    .where(_R.run_id == bindparam("of_run"), _R.fence == bindparam("at_fence"), _is_open)
    .values({name: bindparam(name) for name in STEP}),
    "of_run",
    "at_fence",
    *STEP,
)
# A run that nobody holds: its status is the guard.
WRITE_HELD = Statement(
    update(_runs)
    .where(_R.run_id == bindparam("of_run"), _R.status == "held")
    .values({name: bindparam(name) for name in STEP}),
    "of_run",
    *STEP,
)
TAKE = Statement(
    update(_runs)
    .where(_R.run_id == bindparam("of_run"))
    .values(
        {
            name: bindparam(name)
            for name in ("status", "message", "begun_at", "known", "holder", "leased_until", "fence")
        }
    ),
    "of_run",
    "status",
    "message",
    "begun_at",
    "known",
    "holder",
    "leased_until",
    "fence",
)
RENEW = Statement(
    update(_runs)
    .where(_R.run_id == bindparam("of_run"), _R.fence == bindparam("at_fence"), _R.holder != "")
    .values(leased_until=bindparam("until", type_=BigInteger)),
    "of_run",
    "at_fence",
    "until",
)
GIVE_BACK = Statement(
    update(_runs).where(_R.run_id == bindparam("of_run")).values(holder="", leased_until=null()), "of_run"
)
RELEASE = Statement(update(_runs).where(_R.holder == bindparam("by")).values(holder="", leased_until=null()), "by")

PUT_SKIP = Statement(
    lambda insert: (
        insert(_skips)
        .values({name: bindparam(name) for name in ("run_id", "place", "external_id", "reason")})
        .on_conflict_do_nothing()
    ),
    "run_id",
    "place",
    "external_id",
    "reason",
)
SKIPS = Statement(
    select(_skips.c.external_id, _skips.c.reason)
    .where(_skips.c.run_id == bindparam("run_id"))
    .order_by(_skips.c.place),
    "run_id",
)

PUT_PARCEL = Statement(
    lambda insert: insert(_parcels).values({name: bindparam(name) for name in ("run_id", "number", "body")}),
    "run_id",
    "number",
    "body",
)
PARCELS = Statement(
    select(_parcels.c.number, _parcels.c.body)
    .where(_parcels.c.run_id == bindparam("run_id"))
    .order_by(_parcels.c.number),
    "run_id",
)
DROP_PARCELS = Statement(delete(_parcels).where(_parcels.c.run_id == bindparam("run_id")), "run_id")

KNOWN = Statement(
    select(_C.external_id, _C.fingerprint).where(
        _C.source_id == bindparam("source_id"), any_of(_C.external_id, "external_ids")
    ),
    "source_id",
    "external_ids",
)
COUNT_KNOWN = Statement(select(func.count()).where(_C.source_id == bindparam("source_id")), "source_id")
SEE = Statement(
    update(_contacts)
    .where(_C.source_id == bindparam("of_source"), any_of(_C.external_id, "external_ids"))
    .values(seen_in=bindparam("seen_in"), condemned_in=null()),
    "of_source",
    "external_ids",
    "seen_in",
)


def _upsert_known(insert: Insert, fingerprint: ColumnElement[bytes]) -> Executable:
    names = ("source_id", "external_id", "fingerprint", "seen_in")
    source_id, seen_in = bindparam("source_id", type_=Text), bindparam("seen_in", type_=Integer)
    rows = select(source_id, _given.c.value, fingerprint, seen_in).where(true())  # SQLite needs a WHERE there
    put = insert(_contacts).from_select(names, rows)
    return put.on_conflict_do_update(
        index_elements=("source_id", "external_id"),
        set_={"fingerprint": put.excluded.fingerprint, "seen_in": put.excluded.seen_in, "condemned_in": null()},
    )


_given = listed("external_ids", Text())
_width = bindparam("width", type_=Integer)
_its_part = func.substr(
    bindparam("fingerprints", type_=LargeBinary), cast(_given.c.key, Integer) * _width + literal(1), _width
)
# The fingerprints are all as long and lie one behind the other.
ACCEPT = Statement(
    lambda insert: _upsert_known(insert, _its_part), "source_id", "external_ids", "fingerprints", "width", "seen_in"
)
DISOWN = Statement(
    lambda insert: _upsert_known(insert, bindparam("fingerprint", type_=LargeBinary)),
    "source_id",
    "external_ids",
    "fingerprint",
    "seen_in",
)
CONDEMN = Statement(
    update(_contacts)
    .where(_C.source_id == bindparam("of_source"), any_of(_C.external_id, "external_ids"))
    .values(condemned_in=bindparam("condemned_in", type_=Integer)),
    "of_source",
    "external_ids",
    "condemned_in",
)
CONDEMN_UNSEEN = Statement(
    update(_contacts)
    .where(_C.source_id == bindparam("of_source"), _C.seen_in != bindparam("number", type_=Integer))
    .values(condemned_in=bindparam("number", type_=Integer)),
    "of_source",
    "number",
)
_condemned = (_C.source_id == bindparam("source_id"), _C.condemned_in == bindparam("number", type_=Integer))
COUNT_CONDEMNED = Statement(select(func.count()).where(*_condemned), "source_id", "number")
CONDEMNED = Statement(
    select(_C.external_id).where(*_condemned).order_by(_C.external_id).limit(bindparam("most", type_=Integer)),
    "source_id",
    "number",
    "most",
)
DELETE_KNOWN = Statement(
    delete(_contacts).where(_C.source_id == bindparam("source_id"), any_of(_C.external_id, "external_ids")),
    "source_id",
    "external_ids",
)

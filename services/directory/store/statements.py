"""The statements of the book, compiled once per database."""

from collections.abc import Mapping

from sqlalchemy import Select, bindparam, delete, func, insert, select, update

from libs.storage import Statement, any_of, table_of
from services.directory.store.rows import CONTACT_COLUMNS, READ_COLUMNS
from services.directory.store.tables import (
    AppliedDeliveryRow,
    ContactCountRow,
    ContactRow,
    DirectoryTable,
    IdentityLockRow,
    IdentityRow,
)

_contacts, _identities = table_of(ContactRow).c, table_of(IdentityRow).c
_applied, _locks, _counts = table_of(AppliedDeliveryRow).c, table_of(IdentityLockRow).c, table_of(ContactCountRow).c
SHOWN = tuple(_contacts[name] for name in READ_COLUMNS)
_OF_WORKSPACE = _contacts.workspace_id == bindparam("workspace_id")
_LIVE = _contacts.deleted_at.is_(None)


def _insert_into(table: type[DirectoryTable], *columns: str) -> Statement:
    return Statement(insert(table).values({name: bindparam(name) for name in columns}), *columns)


# In order of the buckets, so that two units never wait for each other in a circle.
LOCK = Statement(
    select(_locks.bucket).where(any_of(_locks.bucket, "buckets")).order_by(_locks.bucket).with_for_update(), "buckets"
)
FIND_APPLIED = Statement(
    select(_applied.states, _applied.failures).where(_applied.delivery_id == bindparam("delivery_id")), "delivery_id"
)
NOTE_APPLIED = _insert_into(AppliedDeliveryRow, "delivery_id", "applied_at", "states", "failures")
FORGET_APPLIED = Statement(delete(AppliedDeliveryRow).where(_applied.applied_at < bindparam("before")), "before")

FIND_OWNERS = Statement(
    select(_identities.identity, _identities.contact_id).where(
        _identities.workspace_id == bindparam("workspace_id"),
        any_of(_identities.identity, "identities"),
        _identities.rank == 0,
    ),
    "workspace_id",
    "identities",
)
HOLDERS = Statement(
    select(_identities.contact_id)
    .where(_identities.workspace_id == bindparam("workspace_id"), any_of(_identities.identity, "identities"))
    .distinct(),
    "workspace_id",
    "identities",
)
# In order of the ids, for the same reason as the buckets: a contact is reached by identities of different buckets.
TAKE_CONTACTS = Statement(
    select(*SHOWN)
    .where(_OF_WORKSPACE, any_of(_contacts.contact_id, "contact_ids"), _LIVE)
    .order_by(_contacts.contact_id)
    .with_for_update(),
    "workspace_id",
    "contact_ids",
)
READ_CONTACTS = Statement(
    select(*SHOWN).where(_OF_WORKSPACE, any_of(_contacts.contact_id, "contact_ids"), _LIVE),
    "workspace_id",
    "contact_ids",
)
ADD_CONTACT = _insert_into(ContactRow, *CONTACT_COLUMNS)
CHANGE_CONTACT = Statement(
    update(ContactRow)
    .where(_OF_WORKSPACE, _contacts.contact_id == bindparam("contact_id"))
    .values({name: bindparam(f"new_{name}") for name in CONTACT_COLUMNS[2:]}),
    *CONTACT_COLUMNS[:2],
    *(f"new_{name}" for name in CONTACT_COLUMNS[2:]),
)
ERASE_CONTACT = Statement(
    update(ContactRow)
    .where(_OF_WORKSPACE, _contacts.contact_id == bindparam("of_contact"))
    .values(
        version=_contacts.version + 1,
        changed_at=bindparam("at"),
        deleted_at=bindparam("at"),
        phone="",
        first_name="",
        last_name="",
        company="",
        contact_type=0,
        search_key="",
        document="{}",
        additional_fields="{}",
    ),
    "workspace_id",
    "of_contact",
    "at",
)
ADD_IDENTITY = _insert_into(IdentityRow, "workspace_id", "identity", "rank", "contact_id")
DROP_IDENTITY = Statement(
    delete(IdentityRow).where(
        _identities.workspace_id == bindparam("workspace_id"),
        _identities.identity == bindparam("identity"),
        _identities.rank == bindparam("rank"),
        _identities.contact_id == bindparam("contact_id"),
    ),
    "workspace_id",
    "identity",
    "rank",
    "contact_id",
)
COUNT_MORE = Statement(
    lambda insert: (
        added := insert(ContactCountRow).values({name: bindparam(name) for name in ("workspace_id", "shard", "live")})
    ).on_conflict_do_update(
        index_elements=["workspace_id", "shard"], set_={"live": _counts.live + added.excluded.live}
    ),
    "workspace_id",
    "shard",
    "live",
)
COUNT = Statement(
    select(func.coalesce(func.sum(_counts.live), 0)).where(_counts.workspace_id == bindparam("workspace_id")),
    "workspace_id",
)

_ONE = select(*SHOWN).where(_OF_WORKSPACE, _contacts.contact_id == bindparam("contact_id"), _LIVE)
GET_CONTACT = Statement(_ONE, "workspace_id", "contact_id")
TAKE_CONTACT = Statement(_ONE.with_for_update(), "workspace_id", "contact_id")


def _holders(identity: str) -> Select[tuple[str]]:
    """Ids behind `after`, told here and not of the contacts: else SQLite walks the book for the few that hold it."""
    return select(_identities.contact_id).where(
        _identities.workspace_id == bindparam("workspace_id"),
        _identities.identity == bindparam(identity),
        _identities.contact_id > bindparam("after"),
    )


def _listing(identities: int, *, with_text: bool) -> Statement:
    """Live contacts behind `after` that have all of so many identities, and the text in their search key."""
    names = [f"identity_{number}" for number in range(identities)]
    query = select(*SHOWN).where(_OF_WORKSPACE, _LIVE, *(_contacts.contact_id.in_(_holders(name)) for name in names))
    if not names:
        query = query.where(_contacts.contact_id > bindparam("after"))
    if with_text:
        query = query.where(_contacts.search_key.like(bindparam("pattern"), escape="\\"))
    query = query.order_by(_contacts.contact_id).limit(bindparam("limit"))
    return Statement(query, "workspace_id", "after", *names, *(["pattern"] if with_text else []), "limit")


LISTINGS: Mapping[tuple[int, bool], Statement] = {
    (identities, with_text): _listing(identities, with_text=with_text)
    for identities in range(4)
    for with_text in (False, True)
}

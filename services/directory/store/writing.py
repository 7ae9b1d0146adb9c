"""Writes contacts with all that lies around them: identities, postings, past changes, the count."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zlib import crc32

from sqlalchemy import bindparam, delete, insert, select

from libs.storage import Statement, Transaction, any_of, table_of, to_micros
from services.directory.domain.contact import Contact, ContactId, Identity, WorkspaceId
from services.directory.domain.delivery import Claim
from services.directory.domain.leads import Turn
from services.directory.domain.letters import letter_terms, lettered
from services.directory.domain.terms import terms_of
from services.directory.store import statements
from services.directory.store.postings import Posting
from services.directory.store.rows import contact_row
from services.directory.store.tables import ActionRow, PastChangeRow, UnletteredRow
from services.directory.store.turns import Turns

BUCKETS, SHARDS = 256, 16
_OWNER, _SHARER = 0, 1
WALKS_LAST: Final = timedelta(days=1)
"""For how long a walk may go on, and past changes are kept."""
_KEPT: Final = WALKS_LAST // timedelta(microseconds=1)

_unlettered, _past, _actions = table_of(UnletteredRow).c, table_of(PastChangeRow).c, table_of(ActionRow).c
_NOTE_UNLETTERED = Statement(
    insert(UnletteredRow).values(workspace_id=bindparam("workspace_id"), contact_id=bindparam("contact_id")),
    "workspace_id",
    "contact_id",
)
_UNLETTERED = Statement(
    select(_unlettered.contact_id).where(
        _unlettered.workspace_id == bindparam("workspace_id"), any_of(_unlettered.contact_id, "contact_ids")
    ),
    "workspace_id",
    "contact_ids",
)
_FORGET_UNLETTERED = Statement(
    delete(UnletteredRow).where(
        _unlettered.workspace_id == bindparam("workspace_id"), any_of(_unlettered.contact_id, "contact_ids")
    ),
    "workspace_id",
    "contact_ids",
)
_NOTE_PAST = Statement(
    insert(PastChangeRow).values(
        {name: bindparam(name) for name in ("workspace_id", "until_at", "contact_id", "changed_at")}
    ),
    "workspace_id",
    "until_at",
    "contact_id",
    "changed_at",
)
FORGET_PAST = Statement(
    delete(PastChangeRow).where(_past.workspace_id == bindparam("workspace_id"), _past.until_at < bindparam("before")),
    "workspace_id",
    "before",
)
_DROP_ACTIONS = Statement(
    delete(ActionRow).where(
        _actions.workspace_id == bindparam("workspace_id"), any_of(_actions.contact_id, "contact_ids")
    ),
    "workspace_id",
    "contact_ids",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What a unit writes; `changed` pairs what was with what is, `dropped` identities are given up by their holders."""

    created: Sequence[Contact] = ()
    changed: Sequence[tuple[Contact, Contact]] = ()
    deleted: Sequence[Contact] = ()
    claims: Sequence[Claim] = ()
    dropped: Sequence[tuple[Identity, ContactId]] = ()

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.deleted)


async def write(transaction: Transaction, turns: Turns, turn: Turn, writing: Writing) -> None:
    """Everything, in the unit that has the turn; nothing of it is seen before the commit."""
    if not writing:
        return
    workspace_id, at = turn.workspace.workspace_id, to_micros(turn.at)
    await _erase(transaction, workspace_id, writing.deleted, at)
    if writing.created:
        await transaction.execute_many(statements.ADD_CONTACT, _rows(workspace_id, writing.created))
    if writing.changed:
        await transaction.execute_many(
            statements.CHANGE_CONTACT, _rows(workspace_id, (after for _, after in writing.changed))
        )
    await _drop(transaction, workspace_id, writing.dropped)
    if writing.claims:
        await transaction.execute_many(statements.ADD_IDENTITY, _claims(workspace_id, writing.claims))
    await _remember(transaction, workspace_id, writing, at)
    await _post(transaction, turn, writing)
    await _count(transaction, workspace_id, writing)
    await turns.end(transaction, turn, numbers=_numbers_used(turn, writing))


def _numbers_used(turn: Turn, writing: Writing) -> int:
    return max((contact.number for contact in writing.created), default=turn.number - 1) + 1 - turn.number


async def _erase(transaction: Transaction, workspace_id: WorkspaceId, contacts: Collection[Contact], at: int) -> None:
    if not contacts:
        return
    held = [(identity, contact.contact_id) for contact in contacts for identity in contact.details.identities]
    await _drop(transaction, workspace_id, held)
    ids = [contact.contact_id for contact in contacts]
    await transaction.execute_many(statements.ERASE_CONTACT, [(workspace_id, each, at) for each in ids])
    await transaction.execute(_DROP_ACTIONS, (workspace_id, ids))


async def _drop(
    transaction: Transaction, workspace_id: WorkspaceId, held: Iterable[tuple[Identity, ContactId]]
) -> None:
    rows = [(workspace_id, identity, rank, contact_id) for identity, contact_id in held for rank in (_OWNER, _SHARER)]
    if rows:
        await transaction.execute_many(statements.DROP_IDENTITY, rows)


async def _remember(transaction: Transaction, workspace_id: WorkspaceId, writing: Writing, at: int) -> None:
    """When what changes now had changed before: walks that go on ask for it."""
    before = (*(before for before, _ in writing.changed), *writing.deleted)
    if before:
        rows = [(workspace_id, at, each.contact_id, to_micros(each.changed_at)) for each in before]
        await transaction.execute_many(_NOTE_PAST, rows)
        await transaction.execute(FORGET_PAST, (workspace_id, at - _KEPT))


async def _post(transaction: Transaction, turn: Turn, writing: Writing) -> None:
    workspace, posting = turn.workspace, Posting()
    for contact in writing.created:
        posting.add(contact.number, terms_of(contact.details, workspace))
    for before, after in writing.changed:
        was, now = terms_of(before.details, workspace), terms_of(after.details, workspace)
        posting.remove(after.number, was - now)
        posting.add(after.number, now - was)
    for contact in writing.deleted:
        posting.remove(contact.number, terms_of(contact.details, workspace))
    await _unletter(transaction, workspace.workspace_id, writing, posting)
    await posting.write(transaction)


async def _unletter(transaction: Transaction, workspace_id: WorkspaceId, writing: Writing, posting: Posting) -> None:
    """New letters wait for whoever posts them in the background; old ones go at once."""
    renamed = [before for before, after in writing.changed if lettered(before.details) != lettered(after.details)]
    fresh = [contact.contact_id for contact in writing.created]
    if renamed or writing.deleted:
        ids = [contact.contact_id for contact in (*renamed, *writing.deleted)]
        waiting = {row[0] for row in await transaction.fetch(_UNLETTERED, (workspace_id, ids))}
        for contact in (*renamed, *writing.deleted):
            if contact.contact_id not in waiting:
                posting.remove(contact.number, letter_terms(workspace_id, lettered(contact.details)))
        fresh += [contact.contact_id for contact in renamed if contact.contact_id not in waiting]
        gone = [contact.contact_id for contact in writing.deleted if contact.contact_id in waiting]
        if gone:
            await transaction.execute(_FORGET_UNLETTERED, (workspace_id, gone))
    if fresh:
        await transaction.execute_many(_NOTE_UNLETTERED, [(workspace_id, each) for each in fresh])


async def _count(transaction: Transaction, workspace_id: WorkspaceId, writing: Writing) -> None:
    more = len(writing.created) - len(writing.deleted)
    if more:
        touched = (*writing.created, *writing.deleted)
        shard = hash_of(touched[0].contact_id) % SHARDS
        await transaction.execute(statements.COUNT_MORE, (workspace_id, shard, more))


def _rows(workspace_id: WorkspaceId, contacts: Iterable[Contact]) -> list[tuple[object, ...]]:
    return [contact_row(workspace_id, contact) for contact in contacts]


def _claims(workspace_id: WorkspaceId, claims: Iterable[Claim]) -> list[tuple[object, ...]]:
    return [(workspace_id, claim.identity, _OWNER if claim.owner else _SHARER, claim.contact_id) for claim in claims]


def buckets_of(texts: Collection[str]) -> list[int]:
    """Where the texts lie. Many texts lie in nearly all buckets, and in all is found faster."""
    return list(range(BUCKETS)) if len(texts) > BUCKETS else sorted({hash_of(text) % BUCKETS for text in texts})


def hash_of(text: str) -> int:
    """The same in every process, and forever."""
    return crc32(text.encode())

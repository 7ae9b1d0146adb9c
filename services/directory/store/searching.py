"""Finds leads by their postings: newest first, with how many there are, at a cost that hardly grows with the book."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, select

from libs.storage import Database, Statement, any_of, table_of
from services.directory.domain.action import ActionFilter
from services.directory.domain.contact import Contact, WorkspaceId
from services.directory.domain.leads import AnyOf, LeadPage, LeadQuery
from services.directory.domain.letters import RUN, contains, letter_terms
from services.directory.domain.minting import open_mint
from services.directory.domain.terms import EVERY_LEAD, Term, term_of
from services.directory.store import statements
from services.directory.store.actions import filter_clauses, filter_row
from services.directory.store.postings import BLOCK, Masks, between, both, count, downwards, either, masks_of, read_mask
from services.directory.store.rows import READ_COLUMNS, read_contact
from services.directory.store.tables import ActionRow, ContactRow, IdentityRow, PostingRow, UnletteredRow

_contacts, _identities, _postings = table_of(ContactRow).c, table_of(IdentityRow).c, table_of(PostingRow).c
_actions, _unlettered = table_of(ActionRow).c, table_of(UnletteredRow).c
_OF_WORKSPACE = _contacts.workspace_id == bindparam("workspace_id")
_LIVE = _contacts.deleted_at.is_(None)
_LIKE_SIGNS = re.compile(r"([%_\\])")
_NO_END: Final = 2**31
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FEW: Final = 200
"""Contacts that are faster read and looked at than told apart by more letters."""

_PIECE: Final = 500
"""Contacts that a substring search reads at once, for others want to be served in between."""

_FEW_BLOCKS: Final = 64
"""Blocks that are picked one by one rather than reading all of a term."""

_SAMPLED: Final = 8
"""Parts of the book; a block of each tells how rare a term is."""
_TOTALS = Statement(
    select(_postings.term, func.sum(_postings.size))
    .where(any_of(_postings.term, "terms"), any_of(_postings.block, "blocks"))
    .group_by(_postings.term),
    "terms",
    "blocks",
)
_LAST_NUMBER = Statement(select(func.max(_contacts.number)).where(_OF_WORKSPACE), "workspace_id")
_SIZES = Statement(
    select(_postings.term, _postings.block, _postings.size).where(any_of(_postings.term, "terms")), "terms"
)
_PLACES = Statement(
    select(_postings.block, _postings.places).where(any_of(_postings.term, "terms"), any_of(_postings.block, "blocks")),
    "terms",
    "blocks",
)
_WHOLE = Statement(select(_postings.block, _postings.places).where(any_of(_postings.term, "terms")), "terms")
_BY_NUMBERS = Statement(
    select(*statements.SHOWN)
    .where(_OF_WORKSPACE, any_of(_contacts.number, "numbers"), _LIVE)
    .order_by(_contacts.number.desc()),
    "workspace_id",
    "numbers",
)
_HELD_BY = Statement(
    select(_contacts.number)
    .join(
        IdentityRow,
        and_(_identities.workspace_id == _contacts.workspace_id, _identities.contact_id == _contacts.contact_id),
    )
    .where(_identities.workspace_id == bindparam("workspace_id"), any_of(_identities.identity, "identities"), _LIVE),
    "workspace_id",
    "identities",
)
# Ids are in the order of creation, so the first one behind a moment has the first number behind it.
_FIRST_BEHIND = Statement(
    select(_contacts.number)
    .where(_OF_WORKSPACE, _contacts.contact_id >= bindparam("contact_id"))
    .order_by(_contacts.contact_id)
    .limit(1),
    "workspace_id",
    "contact_id",
)


def _acted(*, types: bool, performers: bool) -> Statement:
    clauses, names = filter_clauses(types=types, performers=performers)
    query = (
        select(_contacts.number)
        .join(
            ActionRow,
            and_(_actions.workspace_id == _contacts.workspace_id, _actions.contact_id == _contacts.contact_id),
        )
        .where(_actions.workspace_id == bindparam("workspace_id"), *clauses, _LIVE)
        .distinct()
    )
    return Statement(query, "workspace_id", *names)


_ACTED: Final = {
    (types, performers): _acted(types=types, performers=performers)
    for types in (False, True)
    for performers in (False, True)
}
# By the ids of those that wait, told first: else SQLite walks the book for them.
_WAITING = Statement(
    select(_contacts.number).where(
        _OF_WORKSPACE,
        _contacts.contact_id.in_(
            select(_unlettered.contact_id).where(_unlettered.workspace_id == bindparam("workspace_id"))
        ),
        _LIVE,
        _contacts.search_key.like(bindparam("pattern"), escape="\\"),
    ),
    "workspace_id",
    "pattern",
)
_WALK = Statement(
    select(*statements.SHOWN)
    .where(
        _OF_WORKSPACE,
        _LIVE,
        _contacts.number < bindparam("below"),
        _contacts.search_key.like(bindparam("pattern"), escape="\\"),
    )
    .order_by(_contacts.number.desc())
    .limit(bindparam("limit")),
    "workspace_id",
    "below",
    "pattern",
    "limit",
)

_CONTAINING = Statement(
    select(*statements.SHOWN)
    .where(
        _OF_WORKSPACE,
        any_of(_contacts.number, "numbers"),
        _LIVE,
        _contacts.search_key.like(bindparam("pattern"), escape="\\"),
    )
    .order_by(_contacts.number.desc()),
    "workspace_id",
    "numbers",
    "pattern",
)

_Sizes = dict[Term, dict[int, int]]
_Rows = Sequence[tuple[Any, ...]]
_NUMBER: Final = READ_COLUMNS.index("number")


class SqlSearch:
    """LeadSearch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, workspace_id: WorkspaceId, query: LeadQuery) -> LeadPage:
        groups = query.all_of or (AnyOf(frozenset({term_of(workspace_id, EVERY_LEAD, "")})),)
        timed = query.created_from is not None or query.created_to is not None
        if len(groups) == 1 and _one_term(groups[0]) and not timed and query.actions is None:
            (term,) = groups[0].terms
            total, numbers = await self._counted(term, query.skip, query.limit)
        else:
            found = await self._matching(workspace_id, groups, query)
            total, numbers = count(found), list(islice(downwards(found, skip=query.skip), query.limit))
        return LeadPage(await self._read(workspace_id, numbers), total)

    async def containing(self, workspace_id: WorkspaceId, text: str) -> AsyncIterator[Sequence[Contact]]:
        pattern = _LIKE_SIGNS.sub(r"\\\1", text).join("%%")
        walked = len(text) < RUN
        pieces = self._walked(workspace_id, pattern) if walked else self._promised(workspace_id, text, pattern)
        async for rows in pieces:
            if piece := [contact for contact in map(read_contact, rows) if contains(contact.details, text)]:
                yield piece

    async def _walked(self, workspace_id: WorkspaceId, pattern: str) -> AsyncIterator[_Rows]:
        """One or two letters: most books hold them everywhere, so a walk from the newest meets them soon."""
        below, whole = _NO_END, True
        while whole:
            rows = await self._database.fetch(_WALK, (workspace_id, below, pattern, _PIECE))
            whole = len(rows) == _PIECE
            below = rows[-1][_NUMBER] if rows else 0
            yield rows

    async def _promised(self, workspace_id: WorkspaceId, text: str, pattern: str) -> AsyncIterator[_Rows]:
        """What has all runs of the text's letters, and what waits to have its letters posted.

        The sets are made once, and what waits first: what is posted in between lies in both.
        """
        waiting = masks_of(row[0] for row in await self._database.fetch(_WAITING, (workspace_id, pattern)))
        numbers = downwards(either(waiting, await self._all_of(workspace_id, letter_terms(workspace_id, [text]))))
        while some := list(islice(numbers, _PIECE)):
            yield await self._database.fetch(_CONTAINING, (workspace_id, some, pattern))

    async def _counted(self, term: Term, skip: int, limit: int) -> tuple[int, Sequence[int]]:
        """From the sizes of its blocks; only those that the page lies in are opened."""
        sizes = (await self._sizes([term])).get(term, {})
        wanted: list[int] = []
        before = passed = 0
        for block in sorted(sizes, reverse=True):
            if passed + sizes[block] > skip and passed < skip + limit:
                before = before if wanted else passed
                wanted.append(block)
            passed += sizes[block]
        opened = await self._open([term], wanted)
        return passed, list(islice(downwards(opened, skip=skip - before), limit))

    async def _matching(self, workspace_id: WorkspaceId, groups: Sequence[AnyOf], query: LeadQuery) -> Masks:
        """The numbers of all that match. What is rare comes first and decides what is read of the rest."""
        found: Masks | None = None
        if query.actions is not None:
            found = await self._acted(workspace_id, query.actions)
        for group in sorted(groups, key=lambda each: not each.identities):
            if found is not None and not found:
                break
            posted = await self._posted(group.terms, within=None if group.identities else found)
            held = await self._held(workspace_id, group)
            found = either(posted, held) if found is None else both(found, either(posted, held))
        return await self._in_time(workspace_id, found or {}, query)

    async def _held(self, workspace_id: WorkspaceId, group: AnyOf) -> Masks:
        if not group.identities:
            return {}
        rows = await self._database.fetch(_HELD_BY, (workspace_id, list(group.identities)))
        return masks_of(row[0] for row in rows)

    async def _acted(self, workspace_id: WorkspaceId, which: ActionFilter) -> Masks:
        statement = _ACTED[bool(which.types), bool(which.performers)]
        return masks_of(row[0] for row in await self._database.fetch(statement, (workspace_id, *filter_row(which))))

    async def _posted(self, terms: Collection[Term], *, within: Masks | None) -> Masks:
        """The numbers that hold any of the terms; only blocks that `within` lies in are opened."""
        if not terms:
            return {}
        if within is not None and len(within) <= _FEW_BLOCKS:
            return await self._open(terms, within)
        return _united(await self._database.fetch(_WHOLE, (list(terms),)))

    async def _open(self, terms: Collection[Term], blocks: Collection[int]) -> Masks:
        return _united(await self._database.fetch(_PLACES, (list(terms), list(blocks)))) if blocks else {}

    async def _all_of(self, workspace_id: WorkspaceId, terms: Collection[Term]) -> Masks:
        """The numbers that hold all of the terms: the rarest first, by some blocks, and no further than it reaches."""
        totals = dict(await self._database.fetch(_TOTALS, (list(terms), await self._sampled(workspace_id))))
        found: Masks | None = None
        for term in sorted(terms, key=lambda each: int(totals.get(each, 0))):
            posted = await self._posted([term], within=found)
            found = posted if found is None else both(found, posted)
            if count(found) <= _FEW:
                break
        return found or {}

    async def _sampled(self, workspace_id: WorkspaceId) -> list[int]:
        """Some blocks at even distances, the last one among them."""
        row = await self._database.fetch_one(_LAST_NUMBER, (workspace_id,))
        last = int(row[0]) // BLOCK if row and row[0] else 0
        return sorted({last * part // _SAMPLED for part in range(_SAMPLED + 1)})

    async def _sizes(self, terms: Collection[Term]) -> _Sizes:
        sizes: _Sizes = defaultdict(dict)
        for term, block, size in await self._database.fetch(_SIZES, (list(terms),)):
            sizes[term][block] = size
        return sizes

    async def _in_time(self, workspace_id: WorkspaceId, found: Masks, query: LeadQuery) -> Masks:
        first, end = 0, _NO_END
        if query.created_from is not None and found:
            first = await self._first_behind(workspace_id, query.created_from)
        if query.created_to is not None and found:
            end = await self._first_behind(workspace_id, query.created_to, inclusive=False)
        return between(found, first, end)

    async def _first_behind(self, workspace_id: WorkspaceId, moment: datetime, *, inclusive: bool = True) -> int:
        """The number of the first contact created then or, unless inclusive, later."""
        # The times of two contacts differ by a microsecond at least, and so do the heads of their ids.
        head = open_mint(max(moment, _EPOCH), b"").head
        row = await self._database.fetch_one(_FIRST_BEHIND, (workspace_id, head if inclusive else f"{head}~"))
        return _NO_END if row is None else int(row[0])

    async def _read(self, workspace_id: WorkspaceId, numbers: Sequence[int]) -> list[Contact]:
        if not numbers:
            return []
        return [read_contact(row) for row in await self._database.fetch(_BY_NUMBERS, (workspace_id, list(numbers)))]


def _one_term(group: AnyOf) -> bool:
    return len(group.terms) == 1 and not group.identities


def _united(rows: Iterable[tuple[Any, ...]]) -> Masks:
    """The numbers of rows with a block and its places."""
    found: Masks = {}
    for block, places in rows:
        found[block] = found.get(block, 0) | read_mask(bytes(places))
    return found

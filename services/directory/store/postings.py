"""Postings: which contacts hold a term, by their numbers, in blocks that one row keeps together.

A new contact's number is appended to its blocks without reading them; one that goes is taken out of them. So writing
costs a row for each term, counting and skipping read one row for each 4096 contacts, and no search walks contacts.
"""

import struct
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from libs.storage import Statement, Transaction, any_of, table_of
from services.directory.domain.terms import Term
from services.directory.store.tables import PostingRow

BLOCK: Final = 4096
"""Numbers in a block."""

_postings = table_of(PostingRow).c


class _Appended(FunctionElement[bytes]):
    inherit_cache = True


@compiles(_Appended, "sqlite")
def _appended_on_sqlite(element: _Appended, compiler: SQLCompiler, **options: Any) -> str:
    known, more = (compiler.process(clause, **options) for clause in element.clauses)
    return f"CAST({known} || {more} AS BLOB)"  # SQLite makes a text of two blobs


@compiles(_Appended, "postgresql")
def _appended_on_postgresql(element: _Appended, compiler: SQLCompiler, **options: Any) -> str:
    known, more = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{known} || {more}"


_APPEND = Statement(
    lambda insert: (
        added := insert(PostingRow).values({name: bindparam(name) for name in ("term", "block", "size", "places")})
    ).on_conflict_do_update(
        index_elements=["term", "block"],
        set_={
            "size": _postings.size + added.excluded.size,
            "places": _Appended(_postings.places, added.excluded.places),
        },
    ),
    "term",
    "block",
    "size",
    "places",
)
_OF_BLOCK = Statement(
    select(_postings.term, _postings.places).where(
        _postings.block == bindparam("block"), any_of(_postings.term, "terms")
    ),
    "block",
    "terms",
)
_AT = (_postings.term == bindparam("of_term"), _postings.block == bindparam("of_block"))
_REPLACE = Statement(
    update(PostingRow).where(*_AT).values(size=bindparam("size"), places=bindparam("places")),
    "of_term",
    "of_block",
    "size",
    "places",
)
_DROP = Statement(delete(PostingRow).where(*_AT), "of_term", "of_block")

Places = dict[int, list[int]]
"""Places in a block, by its number."""


class Posting:
    """Gathers what a unit does to the postings, and writes it at once."""

    def __init__(self) -> None:
        self._added: defaultdict[tuple[int, Term], list[int]] = defaultdict(list)
        self._removed: defaultdict[int, defaultdict[Term, set[int]]] = defaultdict(lambda: defaultdict(set))

    def add(self, number: int, terms: Iterable[Term]) -> None:
        """The contact holds these, and did not before."""
        block, place = divmod(number, BLOCK)
        added = self._added
        for term in terms:
            added[block, term].append(place)

    def remove(self, number: int, terms: Iterable[Term]) -> None:
        """The contact held these, and does no more."""
        block, place = divmod(number, BLOCK)
        removed = self._removed[block]
        for term in terms:
            removed[term].add(place)

    async def write(self, transaction: Transaction) -> None:
        """Under the workspace's turn, so that nobody else writes the same blocks."""
        for block, terms in self._removed.items():
            await _take_out(transaction, block, terms)
        if self._added:
            # In the order of the table, which meets each of its pages once.
            rows = sorted((term, block, len(places), pack(places)) for (block, term), places in self._added.items())
            await transaction.execute_many(_APPEND, rows)


async def _take_out(transaction: Transaction, block: int, terms: Mapping[Term, set[int]]) -> None:
    replaced: list[tuple[int, int, int, bytes]] = []
    dropped: list[tuple[int, int]] = []
    for term, packed in await transaction.fetch(_OF_BLOCK, (block, list(terms))):
        gone = terms[term]
        left = [place for place in unpack(packed) if place not in gone]
        if left:
            replaced.append((term, block, len(left), pack(left)))
        else:
            dropped.append((term, block))
    if replaced:
        await transaction.execute_many(_REPLACE, replaced)
    if dropped:
        await transaction.execute_many(_DROP, dropped)


def pack(places: Sequence[int]) -> bytes:
    """Two bytes each."""
    return struct.pack(f"<{len(places)}H", *places)


def unpack(packed: bytes) -> tuple[int, ...]:
    """What `pack` packed, also several of them behind each other."""
    return struct.unpack(f"<{len(packed) // 2}H", packed)


def numbers_of(blocks: Collection[tuple[int, bytes]]) -> set[int]:
    """The numbers in blocks with their packed places."""
    return {block * BLOCK + place for block, packed in blocks for place in unpack(packed)}

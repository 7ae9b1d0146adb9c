"""Postings: which contacts hold a term, by their numbers, in blocks that one row keeps together.

Writing costs a row for each term, counting and skipping read one row for each 4096 contacts, and no search walks
contacts. In memory a block is one large integer with a bit for each place, so that sets meet at the speed of machine
words; in its row it is a list of places while there are few of them, and these bits when there are many.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from sqlalchemy import bindparam, delete, select

from libs.storage import Statement, Transaction, any_of, table_of
from services.directory.domain.terms import Term
from services.directory.store.tables import PostingRow

BLOCK: Final = 4096
"""Numbers in a block."""
_BITS_BYTES: Final = BLOCK // 8
_MOST_LISTED: Final = _BITS_BYTES // 2 - 1
"""Places that still take less room as a list."""

Masks = dict[int, int]
"""A set of numbers: the bits of each block that has any."""

_postings = table_of(PostingRow).c
_COLUMNS: Final = ("term", "block", "size", "places")
_PUT = Statement(
    lambda insert: (
        put := insert(PostingRow).values({name: bindparam(name) for name in _COLUMNS})
    ).on_conflict_do_update(
        index_elements=["term", "block"], set_={"size": put.excluded.size, "places": put.excluded.places}
    ),
    *_COLUMNS,
)
_OF_BLOCK = Statement(
    select(_postings.term, _postings.places).where(
        _postings.block == bindparam("block"), any_of(_postings.term, "terms")
    ),
    "block",
    "terms",
)
_DROP = Statement(
    delete(PostingRow).where(_postings.term == bindparam("of_term"), _postings.block == bindparam("of_block")),
    "of_term",
    "of_block",
)

_ByTerm = defaultdict[Term, list[int]]


class Posting:
    """Gathers what a unit does to the postings, and writes it at once."""

    def __init__(self) -> None:
        self._added: defaultdict[int, _ByTerm] = defaultdict(lambda: defaultdict(list))
        self._removed: defaultdict[int, _ByTerm] = defaultdict(lambda: defaultdict(list))

    def add(self, number: int, terms: Iterable[Term]) -> None:
        """The contact holds these."""
        _gather(self._added, number, terms)

    def remove(self, number: int, terms: Iterable[Term]) -> None:
        """The contact does not hold these any more."""
        _gather(self._removed, number, terms)

    async def write(self, transaction: Transaction) -> None:
        """Under the workspace's turn, so that nobody else writes the same blocks."""
        rows: list[tuple[int, int, int, bytes]] = []
        empty: list[tuple[int, int]] = []
        for block in sorted(self._added.keys() | self._removed.keys()):
            added, removed = self._added[block], self._removed[block]
            terms = list(added.keys() | removed.keys())
            known = dict(await transaction.fetch(_OF_BLOCK, (block, terms)))
            for term in terms:
                size, places = _written(known.get(term), added.get(term, ()), removed.get(term, ()))
                if size:
                    rows.append((term, block, size, places))
                elif term in known:
                    empty.append((term, block))
        if rows:
            rows.sort()  # in the order of the table, which meets each of its pages once
            await transaction.execute_many(_PUT, rows)
        if empty:
            await transaction.execute_many(_DROP, empty)


def _gather(into: defaultdict[int, _ByTerm], number: int, terms: Iterable[Term]) -> None:
    block, place = divmod(number, BLOCK)
    of_block = into[block]
    for term in terms:
        of_block[term].append(place)


def _written(known: bytes | None, added: Sequence[int], removed: Sequence[int]) -> tuple[int, bytes]:
    if known is None and not removed and len(added) <= _MOST_LISTED:
        return len(added), struct.pack(f"<{len(added)}H", *added)
    mask = (read_mask(known) if known else 0) | mask_of(added)
    return pack_mask(mask & ~mask_of(removed))


def mask_of(places: Iterable[int]) -> int:
    """The bits of these places."""
    bits = bytearray(_BITS_BYTES)
    for place in places:
        bits[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(bits, "little")


def places_in(mask: int) -> Iterator[int]:
    """The places of the bits, upwards."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def pack_mask(mask: int) -> tuple[int, bytes]:
    """How many places, and what lies in the row."""
    size = mask.bit_count()
    if size > _MOST_LISTED:
        return size, mask.to_bytes(_BITS_BYTES, "little")
    return size, struct.pack(f"<{size}H", *places_in(mask))


def read_mask(packed: bytes) -> int:
    """What `pack_mask` packed."""
    if len(packed) == _BITS_BYTES:
        return int.from_bytes(packed, "little")
    return mask_of(struct.unpack(f"<{len(packed) // 2}H", packed))


def masks_of(numbers: Iterable[int]) -> Masks:
    """The set of these numbers."""
    places: defaultdict[int, list[int]] = defaultdict(list)
    for number in numbers:
        block, place = divmod(number, BLOCK)
        places[block].append(place)
    return {block: mask_of(each) for block, each in places.items()}


def both(one: Mapping[int, int], other: Mapping[int, int]) -> Masks:
    """What lies in both sets."""
    return {block: mask & other[block] for block, mask in one.items() if mask & other.get(block, 0)}


def either(one: Mapping[int, int], other: Mapping[int, int]) -> Masks:
    """What lies in one set or the other."""
    return {block: one.get(block, 0) | other.get(block, 0) for block in one.keys() | other.keys()}


def between(masks: Mapping[int, int], first: int, end: int) -> Masks:
    """The numbers from `first` to before `end`."""
    cut: Masks = {}
    for block, mask in masks.items():
        low, high = max(0, first - block * BLOCK), min(BLOCK, end - block * BLOCK)
        if high > low and (left := mask >> low << low & ((1 << high) - 1)):
            cut[block] = left
    return cut


def count(masks: Mapping[int, int]) -> int:
    """How many numbers."""
    return sum(mask.bit_count() for mask in masks.values())


def downwards(masks: Mapping[int, int], *, skip: int = 0) -> Iterator[int]:
    """The numbers from the highest, but for the first `skip`; blocks that are skipped whole are not opened."""
    for block in sorted(masks, reverse=True):
        size = masks[block].bit_count()
        if skip >= size:
            skip -= size
            continue
        yield from islice(_places_down(masks[block], block * BLOCK), skip, None)
        skip = 0


def _places_down(mask: int, first: int) -> Iterator[int]:
    """Opened one by one, since mostly a page of them is wanted."""
    while mask:
        highest = mask.bit_length() - 1
        yield first + highest
        mask ^= 1 << highest

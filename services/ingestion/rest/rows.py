"""Rows as the import API gives them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw

from services.ingestion.domain.errors import Invalid
from services.ingestion.domain.judging import Judged
from services.ingestion.domain.rows import Columns
from services.ingestion.rest.shape import KNOWN, shape_faults
from services.ingestion.wire.contacts_json import NO_FIELDS, encode


class RestContact(msgspec.Struct, gc=False):
    """A contact as given; its phone gives way to the normalised one when it is written."""

    phone: str
    tags: list[str] = []
    additionalFields: Raw = NO_FIELDS  # noqa: N815 - the contract's spelling


_many = msgspec.json.Decoder(list[RestContact])
_one = msgspec.json.Decoder(RestContact)
_raw_rows = msgspec.json.Decoder(list[Raw])
_raw_members = msgspec.json.Decoder(dict[str, Raw])


class RestRows:
    """The rows of one body."""

    def __init__(self, body: bytes, contacts: list[RestContact], *, single: bool, odd_rows: Sequence[int]) -> None:
        """odd_rows are those with members that the contract does not know."""
        self._body = body
        self.contacts: Sequence[RestContact] = contacts
        self._single = single
        self.columns = Columns(phones=[contact.phone for contact in contacts])
        self.unknown: Mapping[int, bytes] = {row: self._unknown(row) for row in odd_rows}

    @cached_property
    def _raw(self) -> Sequence[Raw]:
        return [Raw(self._body.strip())] if self._single else _raw_rows.decode(self._body)

    def _unknown(self, row: int) -> bytes:
        members = _raw_members.decode(self._raw[row])
        return encode({name: value for name, value in members.items() if name not in KNOWN})

    def written(self, rows: Sequence[int], judged: Judged) -> bytes:
        """The contacts JSON of these rows; additionalFields byte for byte as they came."""
        contacts = [self.contacts[row] for row in rows]
        for contact, row in zip(contacts, rows, strict=True):
            contact.phone = judged.phones[row]
        return encode(contacts)

    def submitted(self, row: int) -> bytes:
        """The row as it came, byte for byte."""
        return bytes(self._raw[row])

    def pointer(self, row: int) -> str:
        """The JSON Pointer of the row in the body."""
        return "" if self._single else f"/{row}"


def rest_rows(body: bytes, tree: Any) -> RestRows:
    """The rows of a parsed body. Raises Invalid with the faults of every row that has the wrong shape."""
    single = isinstance(tree, dict)
    rows: Sequence[Any] = [tree] if single else tree
    try:
        contacts = [_one.decode(body)] if single else _many.decode(body)
    except msgspec.DecodeError:
        contacts = []
    if not contacts or not all(type(row.get("additionalFields", _NOTHING)) is dict for row in rows):
        raise Invalid(violations=shape_faults(rows, single=single))
    odd_rows = [index for index, row in enumerate(rows) if not KNOWN.issuperset(row)]
    return RestRows(body, contacts, single=single, odd_rows=odd_rows)


_NOTHING: dict[str, Any] = {}

"""JSON that a source answered: fast when it is as documented, row by row when some of it is not."""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from services.source_polling.domain.record import LONGEST_ID, ExternalId, Skip, SourceRecord

Row = TypeVar("Row")

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_NUL_ESCAPE = b"\\u0000"
_LONGEST_EXTRA = 65536


class _AnyId(msgspec.Struct, gc=False):
    id: object = None


_decode_id = msgspec.json.Decoder(_AnyId).decode


def fingerprint(body: bytes) -> bytes:
    """Tell two answers apart."""
    return hashlib.blake2b(body, digest_size=16).digest()


def mend(body: bytes) -> bytes:
    """Take off a byte order mark, and put U+FFFD for each half of a surrogate pair: both are no JSON, and come in life.

    Halves come of systems that cut names in the middle of a character.
    """
    return _ESCAPE.sub(_mend_escape, body.removeprefix(_BYTE_ORDER_MARK))


def _mend_escape(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found.group(1) else found.group()


def decode_rows(rows: Sequence[msgspec.Raw], decode: Callable[[msgspec.Raw], Row]) -> Sequence[Row | Skip]:
    """Read each row by itself; one that is not as documented is left out with what is wrong.

    Raises one of NOT_JSON here and not later: what cut the rows apart has passed over text that is not UTF-8.
    """
    return [_decode_row(row, decode) for row in rows]


def _decode_row(row: msgspec.Raw, decode: Callable[[msgspec.Raw], Row]) -> Row | Skip:
    try:
        return decode(row)
    except msgspec.ValidationError as error:
        return Skip(_id_of(row), f"It is not as documented: {error}.")


def _id_of(row: msgspec.Raw) -> ExternalId:
    try:
        return external_id(_decode_id(row).id) or ExternalId("")
    except msgspec.ValidationError:
        return ExternalId("")


def external_id(given: object) -> ExternalId | None:
    """Text and whole numbers are ids. None: it is none."""
    if isinstance(given, str):
        return ExternalId(given) if 0 < len(given) <= LONGEST_ID else None
    return ExternalId(str(given)) if isinstance(given, int) and not isinstance(given, bool) else None


def unfit_extra(record: SourceRecord, *, may_hold_nul: bool) -> Skip | None:
    """Say why what else the source knows cannot be kept. None: it can. The rest of a record is judged by the domain."""
    if not record.extra:
        return None
    written = msgspec.json.encode(record.extra)
    if len(written) > _LONGEST_EXTRA:
        return Skip(record.external_id, f"Its other fields are more than {_LONGEST_EXTRA // 1024} KiB.")
    if may_hold_nul and _NUL_ESCAPE in written:
        return Skip(record.external_id, "A text holds a NUL character.")
    return None


def may_hold_nul(body: bytes) -> bool:
    """Whether records must be looked at for U+0000, which no database keeps."""
    return _NUL_ESCAPE in body

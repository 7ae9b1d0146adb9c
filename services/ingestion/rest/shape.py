"""Which rows of a body do not have the shape of a contact, and where."""

from collections.abc import Iterator, Sequence
from typing import Any

from services.ingestion.domain.errors import Violation

KNOWN = frozenset({"phone", "tags", "additionalFields"})


def shape_faults(rows: Sequence[Any], *, single: bool) -> list[Violation]:
    """The faults of all rows, in order; at least one."""
    found = [fault for index, row in enumerate(rows) for fault in _row_faults("" if single else f"/{index}", row)]
    return found or [Violation("", "wrong_type", "The body must be a contact object or an array of them")]


def _row_faults(pointer: str, row: Any) -> Iterator[Violation]:
    if not isinstance(row, dict):
        yield _wrong_type(pointer, "A contact must be an object")
        return
    if "phone" not in row:
        yield Violation(f"{pointer}/phone", "missing", "A contact must have a phone")
    elif not isinstance(row["phone"], str):
        yield _wrong_type(f"{pointer}/phone", "phone must be a string")
    yield from _tag_faults(f"{pointer}/tags", row.get("tags", []))
    if not isinstance(row.get("additionalFields", {}), dict):
        message = "additionalFields must be an object"
        yield _wrong_type(f"{pointer}/additionalFields", message)


def _tag_faults(pointer: str, tags: Any) -> Iterator[Violation]:
    if not isinstance(tags, list):
        yield _wrong_type(pointer, "tags must be an array of strings")
        return
    for index, tag in enumerate(tags):
        if not isinstance(tag, str):
            yield _wrong_type(f"{pointer}/{index}", "A tag must be a string")


def _wrong_type(pointer: str, message: str) -> Violation:
    return Violation(pointer, "wrong_type", message)

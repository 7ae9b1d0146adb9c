"""JSON as libs.json takes it in, with its faults told as this service's."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from libs import json
from libs.json import MAXIMUM_DEPTH, Parsed
from services.ingestion.domain.errors import Invalid, Violation

__all__ = ["MAXIMUM_DEPTH", "Parsed", "canonical_of", "parse", "tree_of"]


def tree_of(body: bytes) -> Any:
    """The document as the fast parser reads it; to be followed by canonical_of before anything is believed."""
    with _as_invalid():
        return json.tree_of(body)


def canonical_of(body: bytes, tree: Any) -> bytes:
    """The canonical form of a parsed document."""
    with _as_invalid():
        return json.canonical_of(body, tree)


def parse(body: bytes) -> Parsed:
    """The document with its canonical form."""
    with _as_invalid():
        return json.parse(body)


@contextmanager
def _as_invalid() -> Iterator[None]:
    try:
        yield
    except json.UnfitJsonError as unfit:
        found = [Violation(fault.pointer, fault.code, fault.message) for fault in unfit.faults]
        raise Invalid(violations=found) from None

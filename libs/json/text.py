"""JSON as the hub takes it in: RFC 8259 in UTF-8, every name once, text and numbers that every receiver can hold.

The fast parser keeps the last of duplicate names and rounds long numbers, so that much is looked for in the bytes
first; only text that might hide something is read again slowly. What is refused is told by an UnfitJsonError.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from libs.json.faults import Fault, UnfitJsonError, exact_tree, faults

MAXIMUM_DEPTH = 100
# The serialiser gives up at 254 levels; this many around the document leave MAXIMUM_DEPTH for itself.
_AROUND = 154
_SPACE = b" \t\r\n"


def _outline() -> bytes:
    """Digits and points become 0, both spellings of e become e: what is left of a number is its shape."""
    table = bytearray(range(256))
    for letters, shape in ((b"0123456789.", b"0"), (b"eE", b"e"), (b"[", b",")):
        for letter in letters:
            table[letter] = shape[0]
    return bytes(table)


_OUTLINE = _outline()
_LONG_DIGITS = b"0" * 16
_ODD_NUMBER = re.compile(rb"[:,]-?(?:0{16}|0+e)")
_HIDING_ESCAPES = re.compile(rb"\\u00(?:00|22|3[aA])")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document, and its canonical form: equal where only white space and the order of names differ."""

    tree: Any
    canonical: bytes


def tree_of(body: bytes) -> Any:
    """The document as the fast parser reads it; to be followed by canonical_of before anything is believed."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnfitJsonError(faults(body) or [_not_json(error)]) from None


def canonical_of(body: bytes, tree: Any) -> bytes:
    """The canonical form of a parsed document."""
    canonical = _sorted(tree)
    outline = body.translate(_OUTLINE, _SPACE)
    if not (_may_hide_names(body, outline, canonical) or _has_odd_numbers(outline)):
        return canonical
    if found := faults(body):
        raise UnfitJsonError(found)
    return _sorted(exact_tree(body))


def parse(body: bytes) -> Parsed:
    """The document with its canonical form."""
    tree = tree_of(body)
    return Parsed(tree, canonical_of(body, tree))


def _sorted(tree: Any) -> bytes:
    wrapped = tree
    for _ in range(_AROUND):
        wrapped = [wrapped]
    try:
        return orjson.dumps(wrapped, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        message = f"JSON may be nested {MAXIMUM_DEPTH} levels deep"
        raise UnfitJsonError([Fault("", "too_deep", message)]) from None


def _may_hide_names(body: bytes, outline: bytes, canonical: bytes) -> bool:
    """Whether the text has more quotes before a colon than the parsed document has: one at least was dropped.

    Quotes inside of text count alike on both sides, unless one side writes them by an escape; so those are looked for.
    """
    if outline.count(b'":') != canonical.count(b'":'):
        return True
    return b"\\u00" in body and _HIDING_ESCAPES.search(body) is not None


def _has_odd_numbers(outline: bytes) -> bool:
    """Whether a number may have over 15 digits, or an exponent: two such may differ and yet round alike."""
    return (_LONG_DIGITS in outline or b"0e" in outline) and _ODD_NUMBER.search(outline) is not None


def _not_json(error: orjson.JSONDecodeError) -> Fault:
    return Fault("", "not_json", f"The body is not JSON: character {error.pos + 1} is the first that does not fit")

"""The slow, exact reading of JSON text: what is wrong with it, and where."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

ENOUGH = 100
_LONGEST_NUMBER = 1000
_PLAIN_DIGITS = 15
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong, `pointer` (RFC 6901) says where. What stands there is not told: it may be a person's."""

    pointer: str
    code: str
    message: str


class UnfitJsonError(ValueError):
    """The text is not JSON as the hub takes it in; `faults` is never empty and at most ENOUGH long."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(faults[0].code)
        self.faults = faults


class _Members(list[tuple[str, Any]]):
    """An object with its members as they were written."""


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


class _Constant(str):
    """NaN or an infinity, which JSON does not have."""

    __slots__ = ()


def faults(body: bytes) -> list[Fault]:
    """What is wrong, the first hundred of it; empty when this reading finds nothing."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return [Fault("", "not_utf8", f"The body must be UTF-8; byte {error.start + 1} is not")]
    if text.startswith("\ufeff"):
        return [Fault("", "byte_order_mark", "The body must not begin with a byte order mark")]
    try:
        tree = json.loads(
            text, object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number, parse_constant=_Constant
        )
    except RecursionError:
        return [Fault("", "too_deep", "The body is nested too deeply")]
    except ValueError:
        return []  # the fast parser says where
    return _first_faults(tree)


def _first_faults(tree: Any) -> list[Fault]:
    found: list[Fault] = []
    waiting = [("", tree)]
    while waiting and len(found) < ENOUGH:
        pointer, value = waiting.pop()
        found.extend(_faults_of(pointer, value))
        waiting.extend(reversed(list(_parts(pointer, value))))
    return found[:ENOUGH]


def _parts(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, _Members):
        for name, member in value:
            yield f"{pointer}/{_escaped(name)}", member
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield f"{pointer}/{index}", element


def _escaped(name: str) -> str:
    return _UNFIT.sub("\ufffd", name).replace("~", "~0").replace("/", "~1")


def _faults_of(pointer: str, value: Any) -> Iterator[Fault]:
    match value:
        case _Members():
            yield from _faults_of_names(pointer, value)
        case _Constant():
            yield Fault(pointer, "not_json", f"JSON has no {value}")
        case _Number():
            if len(value) > _LONGEST_NUMBER or math.isinf(float(value)):
                yield Fault(pointer, "number_out_of_range", "The number does not fit a double")
        case str():
            if _UNFIT.search(value):
                yield _unfit(pointer)


def _faults_of_names(pointer: str, members: _Members) -> Iterator[Fault]:
    seen: set[str] = set()
    for name, _ in members:
        at = f"{pointer}/{_escaped(name)}"
        if name in seen:
            yield Fault(at, "duplicate_name", "The name is given twice in one object")
        elif _UNFIT.search(name):
            yield _unfit(at)
        seen.add(name)


def _unfit(pointer: str) -> Fault:
    return Fault(pointer, "unfit_text", "Text must not hold U+0000 or half of a surrogate pair")


def exact_tree(body: bytes) -> Any:
    """The document with every long number as it was written, for text without faults."""
    return json.loads(body, parse_int=_exactly, parse_float=_exactly)


def _exactly(number: str) -> Any:
    # The sign does not count: the fast reading looks for digits and points alone.
    if len(number.removeprefix("-")) <= _PLAIN_DIGITS and not {"e", "E"} & set(number):
        return float(number) if "." in number else int(number)
    # No document has this name, for U+0000 is refused.
    return {"\0": number.lower()}

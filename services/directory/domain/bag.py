"""The additional fields as a bag of values by name, that every entrance reads and writes in its own spelling."""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from services.directory.domain.additional_fields import join, split
from services.directory.domain.contact import NO_FIELDS
from services.directory.domain.fields import squashed


class Absent(Enum):
    """Given for a value that is to be taken out."""

    REMOVE = "remove"


REMOVE: Final = Absent.REMOVE


def read_bag(additional_fields: str) -> dict[str, object]:
    """The values by their names as they were given."""
    if additional_fields == NO_FIELDS:
        return {}
    bag: dict[str, object] = json.loads(additional_fields)
    return bag


def by_squashed(bag: Mapping[str, object]) -> dict[str, object]:
    """The values by their squashed names; of two spellings of one name the first counts."""
    found: dict[str, object] = {}
    for name, value in bag.items():
        found.setdefault(squashed(name), value)
    return found


def find_in_bag(bag: Mapping[str, object], name: str) -> object | None:
    """By the exact name, else by the first that is spelled like it; None when there is none, or it holds null."""
    if name in bag:
        return bag[name]
    wanted = squashed(name)
    return next((value for key, value in bag.items() if squashed(key) == wanted), None)


def find_each_in_bag(bag: Mapping[str, object], names: Iterable[str]) -> dict[str, object | None]:
    """What `find_in_bag` finds for each of the names, at the cost of going through the bag once."""
    spelled = by_squashed(bag)
    return {name: bag[name] if name in bag else spelled.get(squashed(name)) for name in names}


def put_into_bag(additional_fields: str, values: Mapping[str, object | Absent]) -> str:
    """The text with these values in it, each under the name that it has there in any spelling, else under its own.

    Every other value stays as it was written, byte for byte.
    """
    bag = split(additional_fields)
    names = {squashed(name): name for name in reversed(bag)}
    for name, value in values.items():
        key = name if name in bag else names.get(squashed(name), name)
        if value is REMOVE:
            bag.pop(key, None)
        else:
            bag[key] = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return join(bag)

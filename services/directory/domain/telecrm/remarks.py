"""What became of the parts of a request that may be kept in part."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.directory.domain.fields import FieldType
from services.directory.domain.telecrm.values import Dropped, Facts, Unfit, read_value

UNKNOWN_FIELD = "Unknown field"


@dataclass(frozen=True, slots=True)
class Remark:
    """A part that was not kept: where it stands in the request (`fields.rating`), and why, as a sentence without it."""

    field: str
    remark: str
    broken: bool = True
    """False: the part is unknown or a label that may not be given, which never makes a change fail."""


@dataclass(frozen=True, slots=True)
class Read:
    """Values that can be kept, by name, and a remark for each of the others, in the order in which they were given."""

    values: Mapping[str, object] = field(repr=False)
    remarks: tuple[Remark, ...]


def read_values(given: Mapping[str, object], types: Mapping[str, FieldType], facts: Facts, *, where: str) -> Read:
    """Reads each value by the type that its name has. `where` comes before the names in remarks ("fields")."""
    values: dict[str, object] = {}
    remarks: list[Remark] = []
    for name, value in given.items():
        found = _read(value, types.get(name), facts)
        if isinstance(found, Unfit):
            remarks.append(Remark(f"{where}.{name}", found.remark))
        elif isinstance(found, Dropped):
            remarks.append(Remark(f"{where}.{name}", found.remark, broken=False))
        else:
            values[name] = found
    return Read(values, tuple(remarks))


def _read(value: object, type: FieldType | None, facts: Facts) -> object | Unfit | Dropped:  # noqa: A002 - as read_value
    return Dropped(UNKNOWN_FIELD) if type is None else read_value(value, type, facts)

"""One contact of a file, beside the shape it came in."""

from dataclasses import dataclass
from typing import Any

Contact = dict[str, Any]


class UnreadableFile(Exception):
    """The file cannot be read as contacts; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """A contact in the import API's shape, and its ``source``: a row of CSV, a JSON object, or a vCard's text."""

    contact: Contact
    source: dict[str, Any] | str


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that the hub refused, with its code and reason."""

    record: Record
    code: str
    reason: str

"""A contact of a parcel, as a system that is written to one by one needs it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from services.delivery.domain.delivery import Parcel
from services.delivery.sender.body import picked
from services.delivery.sender.spelling import Known, known, squash

_PREFIXES = ("additionalFields.", "additional_fields.")


class _Numbered(msgspec.Struct, gc=False):
    number: str = ""


class _Addressed(msgspec.Struct, gc=False):
    email: str = ""


class _Written(msgspec.Struct):
    phone: str = ""
    tags: tuple[str, ...] = ()
    additionalFields: dict[str, Any] = {}  # noqa: N815 - the contract's spelling; msgspec copies the default
    phones: tuple[_Numbered, ...] = ()
    emails: tuple[_Addressed, ...] = ()
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    type: str = ""
    external_id: str = ""
    deleted: bool = False


_rows = msgspec.json.Decoder(list[_Written])
_each = msgspec.json.Decoder(list[msgspec.Raw])
_row = msgspec.json.Decoder(_Written)


@dataclass(frozen=True, repr=False)
class Contact:
    """Never prints itself: it is personal data. What is empty was not given."""

    phone: str
    """E.164."""
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    tags: tuple[str, ...]
    deleted: bool
    own: Mapping[str, Any]
    """first_name, last_name, company, type, external_id, as the contact itself has them."""
    additional: Mapping[str, Any]

    @cached_property
    def knowns(self) -> Mapping[Known, Any]:
        """What is given of the fields that every contact may have; additional fields fill what it leaves empty."""
        found: dict[Known, Any] = {
            Known.PHONE: self.phone or next(iter(self.phones), ""),
            Known.EMAIL: next(iter(self.emails), ""),
            Known.TAGS: list(self.tags),
        }
        for name, value in (*self.own.items(), *self.additional.items()):
            if (field := known(name)) is not None and not found.get(field):
                found[field] = value.strip() if isinstance(value, str) else value
        _join_name(found)
        return {field: value for field, value in found.items() if value}

    def text(self, field: Known) -> str:
        """Give a field that is a text; anything else counts as not given."""
        value = self.knowns.get(field, "")
        return value if isinstance(value, str) else ""

    def value(self, source: str) -> Any:
        """Give what a field map calls by this name: an additional field as spelled, or any field in any spelling."""
        for prefix in _PREFIXES:
            source = source.removeprefix(prefix)
        if source in self.additional:
            return self.additional[source]
        field = known(source)
        if field is not None:
            return self.knowns.get(field)
        wanted = squash(source)
        others = (*self.own.items(), *self.additional.items())
        return next((value for name, value in others if squash(name) == wanted), None)

    def spelled(self, name: str) -> str:
        """Give the name in which an additional field says a known one; else the name itself."""
        field = known(name)
        return next((key for key in self.additional if field is not None and known(key) is field), name)

    @property
    def further(self) -> tuple[str, ...]:
        """Name what it has more than one of, where a system may have room for one."""
        phones, emails = {self.phone, *self.phones} - {""}, set(self.emails)
        return tuple(name for name, several in (("phones", phones), ("emails", emails)) if len(several) > 1)

    def others(self) -> Iterator[tuple[str, Any]]:
        """Give the additional fields that are none of the known ones."""
        return ((name, value) for name, value in self.additional.items() if known(name) is None)

    def identity(self, by: Known) -> str:
        """Give what rows of one and the same contact share: the field by which a system knows it, else another."""
        first = self.text(by).casefold() or self.text(Known.PHONE) or self.text(Known.EMAIL).casefold()
        return first or str(self.own.get("external_id", ""))


def read_parcel(parcel: Parcel) -> Sequence[Contact | None]:
    """Read the contacts to send, in order. None: one that cannot be read, which spoils no other."""
    contacts = picked(parcel.chunk.contacts, parcel.ref.positions)
    try:
        return [_read(row) for row in _rows.decode(contacts)]
    except (msgspec.DecodeError, RecursionError):
        return [_read_alone(row) for row in _each.decode(contacts)]


def _read_alone(row: msgspec.Raw) -> Contact | None:
    try:
        return _read(_row.decode(row))
    except (msgspec.DecodeError, RecursionError):
        return None


def _read(row: _Written) -> Contact:
    own = {
        "first_name": row.first_name,
        "last_name": row.last_name,
        "company": row.company,
        "type": row.type,
        "external_id": row.external_id,
    }
    return Contact(
        phone=row.phone,
        phones=tuple(each.number for each in row.phones if each.number),
        emails=tuple(each.email for each in row.emails if each.email),
        tags=row.tags,
        deleted=row.deleted,
        own={name: value for name, value in own.items() if value},
        additional=row.additionalFields,
    )


def _join_name(found: dict[Known, Any]) -> None:
    """The full name, where only its parts are given."""
    if not found.get(Known.FULL_NAME):
        parts = (found.get(Known.FIRST_NAME), found.get(Known.LAST_NAME))
        found[Known.FULL_NAME] = " ".join(part for part in parts if isinstance(part, str) and part)

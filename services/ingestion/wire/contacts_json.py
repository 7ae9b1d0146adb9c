"""The contacts JSON: what a chunk's body holds, and what destinations get (services/README.md)."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, Raw, UnsetType

NO_FIELDS = Raw(b"{}")


class Numbered(msgspec.Struct, gc=False):
    """A further phone."""

    number: str
    label: str


class Addressed(msgspec.Struct, gc=False):
    """An e-mail address."""

    email: str
    label: str


class WrittenContact(msgspec.Struct, gc=False):
    """A contact as it is written down: the first three always, the others when given."""

    phone: str
    tags: list[str]
    additionalFields: Raw  # noqa: N815 - the contract's spelling
    phones: list[Numbered] | UnsetType = UNSET
    emails: list[Addressed] | UnsetType = UNSET
    first_name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    company: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    external_id: str | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class _Phone(msgspec.Struct, gc=False):
    phone: str


_encoder = msgspec.json.Encoder()
_phones = msgspec.json.Decoder(list[_Phone])


def encode(value: object) -> bytes:
    """The value in JSON, compact, names in the order of the class."""
    return _encoder.encode(value)


def phones_of(body: bytes) -> Sequence[str]:
    """The main phone of each contact of a chunk's body."""
    return [contact.phone for contact in _phones.decode(body)]

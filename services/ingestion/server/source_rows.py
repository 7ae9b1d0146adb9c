"""Rows as a source's poller writes them down."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.job import MAXIMUM_ROWS
from services.ingestion.server.rows import TypedRows
from services.ingestion.wire.contacts_json import NO_FIELDS, Addressed, Numbered, WrittenContact

_Text = Annotated[str, Meta(max_length=256)]


class _Phone(msgspec.Struct, gc=False):
    value: Annotated[str, Meta(min_length=1, max_length=256)]
    label: Literal["mobile", "work", "home", "fax", "other"] = "other"


class _Email(msgspec.Struct, gc=False):
    value: Annotated[str, Meta(min_length=1, max_length=320)]
    label: Literal["private", "business", "other"] = "other"


class _SourceContact(msgspec.Struct, gc=False):
    external_id: _Text = ""
    first_name: _Text = ""
    last_name: _Text = ""
    company: _Text = ""
    type: Literal["customer", "lead"] | None = None
    phones: Annotated[list[_Phone], Meta(max_length=50)] = []
    emails: Annotated[list[_Email], Meta(max_length=50)] = []
    tags: Annotated[list[_Text], Meta(max_length=100)] = []
    extra: Raw = NO_FIELDS
    deleted: bool = False


_split = msgspec.json.Decoder(Annotated[list[Raw], Meta(min_length=1, max_length=MAXIMUM_ROWS)]).decode
_decode = msgspec.json.Decoder(_SourceContact).decode


def rows_of_source(text: bytes) -> TypedRows:
    """The rows of contacts_json. Raises Invalid when it is not as the contract has it."""
    try:
        # One by one, so that what is read is still in the processor's cache when it is taken apart.
        rows = [_as_given(_decode(contact)) for contact in _split(text)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        message = "must be 1 to 10,000 contacts as the contract describes them"
        raise Invalid(violations=[Violation("/contacts_json", "invalid", message)]) from None
    return TypedRows(rows, text)


def _as_given(contact: _SourceContact) -> WrittenContact:
    return WrittenContact(
        "",
        contact.tags,
        NO_FIELDS if contact.extra == NO_FIELDS else contact.extra,
        [Numbered(phone.value, phone.label) for phone in contact.phones] or UNSET,
        [Addressed(email.value, email.label) for email in contact.emails] or UNSET,
        contact.first_name or UNSET,
        contact.last_name or UNSET,
        contact.company or UNSET,
        contact.type or UNSET,
        contact.external_id or UNSET,
        contact.deleted or UNSET,
    )

"""Contacts as rows of their table, and back."""

from functools import lru_cache
from typing import Any

import msgspec

from libs.storage import Row, from_micros, to_micros
from services.directory.domain.contact import Contact, ContactId, ContactType, Details, Email, Phone, WorkspaceId
from services.directory.domain.delivery import Applied, Failure
from services.directory.domain.identity import identities_of
from services.directory.domain.search import search_key

CONTACT_COLUMNS = (
    "workspace_id",
    "contact_id",
    "version",
    "created_at",
    "changed_at",
    "phone",
    "first_name",
    "last_name",
    "company",
    "contact_type",
    "search_key",
    "document",
    "additional_fields",
    "number",
)
READ_COLUMNS = tuple(name for name in CONTACT_COLUMNS if name not in {"workspace_id", "search_key"})


_TYPES = tuple(ContactType)  # by its number
# The contacts of a delivery share their times.
_micros, _moment = lru_cache(256)(to_micros), lru_cache(256)(from_micros)


class _Document(msgspec.Struct, omit_defaults=True, gc=False):
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    external_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


_ENCODE = msgspec.json.Encoder().encode
_DOCUMENT = msgspec.json.Decoder(_Document).decode
_FAILURES = msgspec.json.Decoder(tuple[Failure, ...]).decode


def contact_row(workspace_id: WorkspaceId, contact: Contact) -> Row:
    """In the order of CONTACT_COLUMNS."""
    details = contact.details
    document = _Document(details.phones, details.emails, details.external_ids, details.tags)
    return (
        workspace_id,
        contact.contact_id,
        contact.version,
        _micros(contact.created_at),
        _micros(contact.changed_at),
        details.phone,
        details.first_name,
        details.last_name,
        details.company,
        int(details.type),
        search_key(details),
        _ENCODE(document).decode(),
        details.additional_fields,
        contact.number,
    )


def read_contact(row: tuple[Any, ...]) -> Contact:
    """From READ_COLUMNS."""
    contact_id, version, created, changed, phone, first, last, company, kind, document, fields, number = row
    lists = _DOCUMENT(document)
    phones, emails, external_ids = lists.phones, lists.emails, lists.external_ids
    identities = identities_of(phone, phones, emails, external_ids)
    details = Details(
        phone, phones, emails, external_ids, first, last, company, _TYPES[kind], lists.tags, fields, identities
    )  # fmt: skip
    return Contact(ContactId(contact_id), version, _moment(created), _moment(changed), details, number)


def failures_text(applied: Applied) -> str:
    """As JSON."""
    return _ENCODE(applied.failures).decode()


def read_applied(states: bytes, failures: str) -> Applied:
    """What `failures_text` and the states were made of."""
    return Applied(states, _FAILURES(failures))

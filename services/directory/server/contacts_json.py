"""Contacts as deliveries carry them: a JSON array, whose additional fields stay as they were written."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.directory.domain.contact import ContactType, Email, Given, Phone, Tombstone, Unreadable
from services.directory.domain.details import describe
from services.directory.domain.identity import SCOPE_END, scoped

MOST_CONTACTS: Final = 1000
_TYPES: Final = {"customer": ContactType.CUSTOMER, "lead": ContactType.LEAD}
_WRONG_SHAPE: Final = Unreadable("The contact is not of the agreed shape.")
_NUL: Final = Unreadable("The contact holds the character NUL, which no database keeps.")
# Far above what the contract allows; PostgreSQL indexes no text of more than 2,704 bytes.
_LONGEST_IDENTITY: Final = 640
_TOO_LONG: Final = Unreadable("A phone, an e-mail or the external id is too long.")
_WRONG_ID: Final = Unreadable("The external id holds a control character that no id may hold.")
_NUL_ESCAPE: Final = b"\\u0000"
_EMPTY: Final = msgspec.Raw(b"{}")


class MalformedDeliveryError(ValueError):
    """Not a JSON array of 1 to 1000 elements: nothing in it can be told apart."""


class _Contact(msgspec.Struct, gc=False):
    phone: str = ""
    tags: tuple[str, ...] = ()
    additionalFields: msgspec.Raw = _EMPTY  # noqa: N815 - the name on the wire
    phones: tuple[Phone, ...] = ()
    emails: tuple[Email, ...] = ()
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    type: str = ""
    external_id: str = ""
    deleted: bool = False


_ALL = msgspec.json.Decoder(list[_Contact])
_EACH = msgspec.json.Decoder(list[msgspec.Raw])
_ONE = msgspec.json.Decoder(_Contact)
_FIELDS = msgspec.json.Decoder(dict[str, object])


def read_contacts(contacts_json: bytes, *, source_id: str = "") -> Sequence[Given]:
    """The contacts in order; one that cannot be read spoils no other. Raises MalformedDeliveryError.

    Their external ids are the source's own; empty: nobody's in particular.
    """
    if _NUL_ESCAPE not in contacts_json:
        try:
            return _within_limit([_given(contact, source_id) for contact in _ALL.decode(contacts_json)])
        except (msgspec.DecodeError, RecursionError):
            pass  # some contact is bad, or the whole is: read one by one, which tells
    return _within_limit([_read(raw, source_id) for raw in _split(contacts_json)])


def _split(contacts_json: bytes) -> list[msgspec.Raw]:
    try:
        return _EACH.decode(contacts_json)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MalformedDeliveryError from error


def _within_limit(contacts: list[Given]) -> list[Given]:
    if not 1 <= len(contacts) <= MOST_CONTACTS:
        raise MalformedDeliveryError
    return contacts


def _read(raw: msgspec.Raw, source_id: str) -> Given:
    if _NUL_ESCAPE in bytes(raw):
        return _NUL
    try:
        return _given(_ONE.decode(raw), source_id)
    except (msgspec.DecodeError, RecursionError):
        return _WRONG_SHAPE


def _given(contact: _Contact, source_id: str) -> Given:
    external_id = contact.external_id
    if external_id:
        if SCOPE_END in external_id:
            return _WRONG_ID
        external_id = scoped(source_id, external_id) if source_id else external_id
    text = bytes(contact.additionalFields)
    details = describe(
        {} if text == b"{}" else _FIELDS.decode(text),
        contact.phone,
        contact.phones,
        contact.emails,
        external_id,
        contact.first_name,
        contact.last_name,
        contact.company,
        _TYPES.get(contact.type, ContactType.NOT_GIVEN),
        contact.tags,
        text.decode(),
    )
    for identity in details.identities:
        if len(identity) > _LONGEST_IDENTITY:
            return _TOO_LONG
    return Tombstone(details) if contact.deleted else details

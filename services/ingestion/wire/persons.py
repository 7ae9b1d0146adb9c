"""Finding a person's contacts in the contacts JSON, and leaving nothing of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from services.ingestion.domain.erasure import Person
from services.ingestion.wire.contacts_json import NO_FIELDS, WrittenContact, encode

# As the contact book understands them (its spellings of an e-mail's name), in any case and with any separator.
_EMAIL_NAMES = frozenset({"email", "mail", "emailaddress", "почта"})
_SEPARATORS = str.maketrans("", "", " -_")

_contacts = msgspec.json.Decoder(list[dict[str, Any]])
_raw_contacts = msgspec.json.Decoder(list[Raw])
_BLANK = Raw(encode(WrittenContact("", [], NO_FIELDS)))


class WrittenContacts:
    """Contacts as chunks and rejected rows hold them."""

    def find(self, contacts: bytes, person: Person) -> Sequence[int]:
        """The positions of the person's contacts."""
        if not _may_hold(contacts, person):
            return []
        return [at for at, contact in enumerate(_contacts.decode(contacts)) if _is_of(contact, person)]

    def blank(self, contacts: bytes, positions: Sequence[int]) -> bytes:
        """The array with an empty contact at these positions."""
        rows = _raw_contacts.decode(contacts)
        for position in positions:
            rows[position] = _BLANK
        return encode(rows)


def _may_hold(contacts: bytes, person: Person) -> bool:
    """False for nearly every chunk, and ten times cheaper than reading it. An escape may hide anything."""
    text = contacts.decode().casefold()
    sought = (*person.phones, *person.emails, *person.external_ids)
    return "\\" in text or any(each.casefold() in text for each in sought)


def _is_of(contact: dict[str, Any], person: Person) -> bool:
    return (
        any(phone.strip() in person.phones for phone in _phones(contact))
        or any(email.strip().casefold() in person.emails for email in _emails(contact))
        or contact.get("external_id") in person.external_ids
    )


def _phones(contact: dict[str, Any]) -> Iterator[str]:
    """Of a blank contact the empty one, which no person has."""
    yield contact["phone"]
    for phone in contact.get("phones", ()):
        yield phone["number"]


def _emails(contact: dict[str, Any]) -> Iterator[str]:
    for email in contact.get("emails", ()):
        yield email["email"]
    for name, value in contact.get("additionalFields", {}).items():
        if isinstance(value, str) and name.translate(_SEPARATORS).casefold() in _EMAIL_NAMES:
            yield value

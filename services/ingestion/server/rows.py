"""Rows as the typed import gives them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import orjson
from contactsync.contact.v1.contact_pb2 import Contact, ContactType, LabeledEmail, LabeledPhone
from msgspec import UNSET, Raw, UnsetType

from services.ingestion.domain.errors import Invalid, Violation
from services.ingestion.domain.judging import Judged
from services.ingestion.domain.rows import Columns, Further
from services.ingestion.ports.peers import Fingerprint
from services.ingestion.wire.contacts_json import NO_FIELDS, Addressed, Numbered, WrittenContact, encode
from services.ingestion.wire.json_text import parse

_TYPES: Mapping[int, str | UnsetType] = {
    ContactType.CONTACT_TYPE_UNSPECIFIED: UNSET,
    ContactType.CONTACT_TYPE_CUSTOMER: "customer",
    ContactType.CONTACT_TYPE_LEAD: "lead",
}
_PHONE_LABELS = frozenset({"mobile", "work", "home", "fax", "other"})
_EMAIL_LABELS = frozenset({"private", "business", "other"})


class TypedRows:
    """The rows of one typed import. Any identity will do: a valid phone, a valid e-mail, or an external id."""

    unknown: Mapping[int, bytes] = {}

    def __init__(self, contacts: Sequence[Contact]) -> None:
        """Raises Invalid when additional_fields_json of some contact is not a JSON object fit to be kept."""
        self._contacts = contacts
        _check_fields(contacts)
        self.columns = Columns(
            phones=[contact.phone for contact in contacts],
            further={row: further for row, contact in enumerate(contacts) if (further := _further(contact))},
            phone_required=False,
        )
        self.fingerprint = self._fingerprint()

    def _fingerprint(self) -> Fingerprint:
        body = b"[" + b",".join(self.submitted(row) for row in range(len(self._contacts))) + b"]"
        try:
            canonical = parse(body).canonical
        except Invalid as error:
            raise Invalid(violations=[_in_the_request(violation) for violation in error.violations]) from None
        # Not the hash of the same text over REST: there, these names mean less.
        return Fingerprint(*(hashlib.sha256(b"typed" + text).digest() for text in (body, canonical)))

    def written(self, rows: Sequence[int], judged: Judged) -> bytes:
        """The contacts JSON of these rows; a value that could not be normalised stands in it as it came."""
        return encode([self._written(row, judged) for row in rows])

    def _written(self, row: int, judged: Judged) -> WrittenContact:
        contact, further = self._contacts[row], judged.further[row]
        numbers = [_numbered(phone.label, number) for phone, number in zip(contact.phones, further.phones, strict=True)]
        if any(remark.startswith("/phone:") for remark in judged.remarks.get(row, ())):
            numbers.append(_numbered("", contact.phone))
        return _contact(contact, judged.phones[row], numbers, further.emails)

    def submitted(self, row: int) -> bytes:
        """The row as it came, in JSON."""
        contact = self._contacts[row]
        numbers = [_numbered(phone.label, phone.number) for phone in contact.phones]
        return encode(_contact(contact, contact.phone, numbers, [email.email for email in contact.emails]))

    def pointer(self, row: int) -> str:
        """The JSON Pointer of the row in the request."""
        return f"/contacts/{row}"


def _further(contact: Contact) -> Further | None:
    if not (contact.phones or contact.emails or contact.external_id):
        return None
    phones: Sequence[LabeledPhone] = contact.phones
    emails: Sequence[LabeledEmail] = contact.emails
    return Further(tuple(phone.number for phone in phones), tuple(email.email for email in emails), contact.external_id)


def _contact(contact: Contact, phone: str, numbers: list[Numbered], emails: Sequence[str]) -> WrittenContact:
    labels = [email.label for email in contact.emails]
    addresses = [_addressed(label, email) for label, email in zip(labels, emails, strict=True)]
    return WrittenContact(
        phone,
        list(contact.tags),
        Raw(contact.additional_fields_json) if contact.additional_fields_json else NO_FIELDS,
        phones=numbers or UNSET,
        emails=addresses or UNSET,
        first_name=contact.first_name or UNSET,
        last_name=contact.last_name or UNSET,
        company=contact.company or UNSET,
        type=_TYPES[contact.type],
        external_id=contact.external_id or UNSET,
        deleted=contact.deleted or UNSET,
    )


def _numbered(label: str, number: str) -> Numbered:
    return Numbered(number, label if label in _PHONE_LABELS else "other")


def _addressed(label: str, email: str) -> Addressed:
    return Addressed(email, label if label in _EMAIL_LABELS else "other")


def _check_fields(contacts: Sequence[Contact]) -> None:
    """Each by itself, for the texts are put into one another afterwards."""
    if violations := list(_field_faults(contacts)):
        raise Invalid(violations=violations)


def _field_faults(contacts: Sequence[Contact]) -> Iterator[Violation]:
    for row, contact in enumerate(contacts):
        if contact.additional_fields_json and not _is_object(contact.additional_fields_json):
            pointer = f"/contacts/{row}/additional_fields_json"
            yield Violation(pointer, "not_json", "additional_fields_json must be a JSON object in UTF-8")


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def _in_the_request(violation: Violation) -> Violation:
    pointer = violation.pointer.replace("/additionalFields", "/additional_fields_json", 1)
    return replace(violation, pointer=f"/contacts{pointer}")

"""Rows as the typed import gives them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import orjson
from contactsync.contact.v1.contact_pb2 import Contact, ContactType
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
_NUL = b"\\u0000"


class TypedRows:
    """The rows of one typed import. Any identity will do: a valid phone, a valid e-mail, or an external id."""

    unknown: Mapping[int, bytes] = {}

    def __init__(self, contacts: Sequence[Contact]) -> None:
        """Raises Invalid when additional_fields_json of some contact is not a JSON object fit to be kept."""
        # Messages are read once: each look into one costs several times that into a struct.
        self._rows = [_as_given(contact) for contact in contacts]
        _check_fields(self._rows)
        self.columns = Columns(
            phones=[given.phone for given in self._rows],
            further={row: further for row, given in enumerate(self._rows) if (further := _further(given))},
            phone_required=False,
        )
        self.fingerprint = self._fingerprint()

    def _fingerprint(self) -> Fingerprint:
        body = encode(self._rows)
        try:
            canonical = body if self._is_canonical(body) else parse(body).canonical
        except Invalid as error:
            raise Invalid(violations=[_in_the_request(violation) for violation in error.violations]) from None
        # Not the hash of the same text over REST: there, these names mean less.
        return Fingerprint(*(hashlib.sha256(b"typed" + text).digest() for text in (body, canonical)))

    def _is_canonical(self, body: bytes) -> bool:
        """Whether nothing in the text could be written otherwise: it is our own, but for additional fields and NULs."""
        return all(given.additionalFields is NO_FIELDS for given in self._rows) and _NUL not in body

    def written(self, rows: Sequence[int], judged: Judged) -> bytes:
        """The contacts JSON of these rows; a value that could not be normalised stands in it as it came."""
        return encode([self._written(row, judged) for row in rows])

    def _written(self, row: int, judged: Judged) -> WrittenContact:
        given, further = self._rows[row], judged.further[row]
        numbers = [
            Numbered(number, phone.label) for phone, number in zip(given.phones or (), further.phones, strict=True)
        ]
        if judged.remarks and any(remark.startswith("/phone:") for remark in judged.remarks.get(row, ())):
            numbers.append(Numbered(given.phone, "other"))
        addresses = [
            Addressed(email, each.label) for each, email in zip(given.emails or (), further.emails, strict=True)
        ]
        return WrittenContact(
            judged.phones[row],
            given.tags,
            given.additionalFields,
            phones=numbers or UNSET,
            emails=addresses or UNSET,
            first_name=given.first_name,
            last_name=given.last_name,
            company=given.company,
            type=given.type,
            external_id=given.external_id,
            deleted=given.deleted,
        )

    def submitted(self, row: int) -> bytes:
        """The row as it came, in JSON."""
        return encode(self._rows[row])

    def pointer(self, row: int) -> str:
        """The JSON Pointer of the row in the request."""
        return f"/contacts/{row}"


def _as_given(contact: Contact) -> WrittenContact:
    fields = contact.additional_fields_json
    numbers = [Numbered(phone.number, _label(phone.label, _PHONE_LABELS)) for phone in contact.phones]
    addresses = [Addressed(email.email, _label(email.label, _EMAIL_LABELS)) for email in contact.emails]
    return WrittenContact(
        contact.phone,
        list(contact.tags),
        Raw(fields) if fields else NO_FIELDS,
        phones=numbers or UNSET,
        emails=addresses or UNSET,
        first_name=contact.first_name or UNSET,
        last_name=contact.last_name or UNSET,
        company=contact.company or UNSET,
        type=_TYPES[contact.type],
        external_id=contact.external_id or UNSET,
        deleted=contact.deleted or UNSET,
    )


def _label(label: str, known: frozenset[str]) -> str:
    return label if label in known else "other"


def _further(given: WrittenContact) -> Further | None:
    phones, emails, external_id = given.phones or (), given.emails or (), given.external_id or ""
    if not (phones or emails or external_id):
        return None
    return Further(tuple([phone.number for phone in phones]), tuple([email.email for email in emails]), external_id)


def _check_fields(rows: Sequence[WrittenContact]) -> None:
    """Each by itself, for the texts are put into one another afterwards."""
    if violations := list(_field_faults(rows)):
        raise Invalid(violations=violations)


def _field_faults(rows: Sequence[WrittenContact]) -> Iterator[Violation]:
    for row, given in enumerate(rows):
        if given.additionalFields is not NO_FIELDS and not _is_object(given.additionalFields):
            pointer = f"/contacts/{row}/additional_fields_json"
            yield Violation(pointer, "not_json", "additional_fields_json must be a JSON object in UTF-8")


def _is_object(text: Raw) -> bool:
    try:
        return isinstance(orjson.loads(memoryview(text)), dict)
    except orjson.JSONDecodeError:
        return False


def _in_the_request(violation: Violation) -> Violation:
    pointer = violation.pointer.replace("/additionalFields", "/additional_fields_json", 1)
    return replace(violation, pointer=f"/contacts{pointer}")

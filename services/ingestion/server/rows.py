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

    def __init__(self, rows: Sequence[WrittenContact], text: bytes = b"") -> None:
        """`text`: what the rows were read from; empty for messages.

        Raises Invalid when additional fields of some contact are not a JSON object fit to be kept.
        """
        self._rows = rows
        self._text = text
        _check_fields(self._rows)
        self.columns = Columns(
            phones=[given.phone for given in self._rows],
            further={row: further for row, given in enumerate(self._rows) if (further := _further(given))},
            phone_required=False,
        )
        self.fingerprint = self._fingerprint()

    def _fingerprint(self) -> Fingerprint:
        body = self._text or encode(self._rows)
        try:
            canonical = body if self._is_canonical(body) else parse(body).canonical
        except Invalid as error:
            raise Invalid(violations=[_in_the_request(violation) for violation in error.violations]) from None
        digest = _digest(body)
        return Fingerprint(digest, digest if canonical is body else _digest(canonical))

    def _is_canonical(self, body: bytes) -> bool:
        """Whether nothing in the text could be written otherwise: it is our own, but for additional fields and NULs."""
        return all(given.additionalFields is NO_FIELDS for given in self._rows) and _NUL not in body

    def written(self, rows: Sequence[int], judged: Judged) -> bytes:
        """The contacts JSON of these rows, asked for once; a value that could not be normalised stands as it came."""
        for row in rows:
            self._write(self._rows[row], row, judged)
        return encode([self._rows[row] for row in rows])

    def _write(self, given: WrittenContact, row: int, judged: Judged) -> None:
        """What is normalised takes the place of what was given: a row of its own would cost as much as all the rest."""
        further = judged.further[row]
        if further is not self.columns.further.get(row):
            for phone, number in zip(given.phones or (), further.phones, strict=True):
                phone.number = number
            for each, email in zip(given.emails or (), further.emails, strict=True):
                each.email = email
        if judged.remarks and any(remark.startswith("/phone:") for remark in judged.remarks.get(row, ())):
            given.phones = [*(given.phones or ()), Numbered(given.phone, "other")]
        given.phone = judged.phones[row]

    def submitted(self, row: int) -> bytes:
        """The row as it came, in JSON."""
        return encode(self._rows[row])

    def pointer(self, row: int) -> str:
        """The JSON Pointer of the row in the request."""
        return f"/contacts/{row}"


def _digest(text: bytes) -> bytes:
    """Not the hash of the same text over REST: there, these names mean less."""
    digest = hashlib.sha256(b"typed")
    digest.update(text)
    return digest.digest()


def rows_of_messages(contacts: Sequence[Contact]) -> TypedRows:
    """The rows of messages. Raises Invalid as TypedRows does."""
    # Messages are read once: each look into one costs several times that into a struct.
    if not contacts:
        raise Invalid(violations=[Violation("/contacts", "repeated.min_items", "must contain at least 1 item")])
    return TypedRows([_as_given(contact) for contact in contacts])


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

"""Messages to domain and back."""

import re
from typing import Final

from contactsync.contact.v1 import contact_pb2
from contactsync.directory.v1 import directory_service_pb2 as pb

from libs.rpc import Refusal, Violation
from libs.stamps import stamp_of
from services.directory.domain.contact import Contact, ContactId, Details, Identity
from services.directory.domain.delivery import Applied
from services.directory.domain.errors import ContactNotFoundError
from services.directory.domain.identity import (
    bare,
    email_identity,
    external_identity,
    is_lead_id,
    is_normalised,
    phone_identity,
)
from services.directory.domain.search import Filter, filter_of

_CONTACT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_filter(request: pb.ListContactsRequest) -> Filter:
    """Refuses with VALIDATION_ERROR what no contact can hold."""
    for name in ("phone", "email", "external_id", "query"):
        if "\x00" in getattr(request, name):
            raise refused(f"/{name}", "It holds the character NUL.")
    return filter_of(
        phone=request.phone, email=request.email.strip(), external_id=request.external_id, query=request.query
    )


def read_contact_name(text: str) -> str:
    """An id or a number. Raises ContactNotFoundError for what is neither: no contact has it."""
    if not _CONTACT_ID.fullmatch(text) and not (text.isascii() and text.isdigit()):
        raise ContactNotFoundError(ContactId(text))
    return text


def read_values(request: pb.ChangeContactRequest) -> dict[str, str]:
    """Refuses with VALIDATION_ERROR what no database keeps."""
    for name, value in request.set.items():
        if "\x00" in name or "\x00" in value:
            raise refused("/set", "It holds the character NUL.")
    return dict(request.set)


def read_page_token(token: str) -> ContactId | None:
    """The last contact of the page before; None: there was none. Refuses with VALIDATION_ERROR what no page gave."""
    if not token:
        return None
    if not _CONTACT_ID.fullmatch(token):
        raise refused("/page_token", "It is not the next_page_token of a page.")
    return ContactId(token)


def read_identities(request: pb.EraseContactsRequest) -> list[Identity]:
    """Refuses with VALIDATION_ERROR when there is none. What no contact can hold finds none."""
    found = [
        *(phone_identity(phone) for phone in request.phones if is_normalised(phone)),
        *(email_identity(email) for email in request.emails),
        *(external_identity(each) for each in request.external_ids),
    ]
    if not found and not request.phones:
        raise refused("", "It names nobody.")
    return [identity for identity in found if "\x00" not in identity]


def write_contact(contact: Contact) -> pb.BookContact:
    """As the book shows it."""
    return pb.BookContact(
        contact_id=contact.contact_id,
        contact=_write_details(contact.details),
        additional_fields=contact.details.additional_fields,
        version=contact.version,
        created_at=stamp_of(contact.created_at),
        updated_at=stamp_of(contact.changed_at),
        number=contact.number,
    )


def write_result(applied: Applied) -> pb.ApplyResult:
    """What became of a delivery."""
    failures = (pb.ApplyFailure(position=failure.position, reason=failure.reason) for failure in applied.failures)
    return pb.ApplyResult(row_states=applied.states, failures=failures)


def _write_details(details: Details) -> contact_pb2.Contact:
    return contact_pb2.Contact(
        phone=details.phone,
        phones=(contact_pb2.LabeledPhone(number=phone.number, label=phone.label) for phone in details.phones),
        emails=(contact_pb2.LabeledEmail(email=email.email, label=email.label) for email in details.emails),
        first_name=details.first_name,
        last_name=details.last_name,
        company=details.company,
        type=contact_pb2.ContactType.ValueType(details.type),
        tags=details.tags,
        external_id=next((bare(each) for each in details.external_ids if not is_lead_id(each)), ""),
    )


def refused(pointer: str, message: str) -> Refusal:
    """What is wrong where."""
    violation = Violation(pointer, "invalid", message)
    return Refusal("VALIDATION_ERROR", "The request is not valid.", violations=[violation])

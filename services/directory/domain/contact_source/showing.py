"""A contact as a contact source shows it: it always has names, and labels and types are those of the document."""

from collections.abc import Iterator
from typing import Final

from services.directory.domain.contact import Contact, ContactType, Details, Phone

NO_NAME: Final = "-"
"""Stands for a first or last name that is not known: readers skip a contact without one."""
_UNNAMED: Final = "Unnamed"
_PHONE_LABELS: Final = frozenset({"mobile", "work", "home", "fax"})
_EMAIL_LABELS: Final = frozenset({"private", "business"})
_OTHER: Final = "other"


def contact_view(contact: Contact) -> dict[str, object]:
    """In the order of the document."""
    details = contact.details
    first_name, last_name = names(details)
    return {
        "id": contact.contact_id,
        "first_name": first_name,
        "last_name": last_name,
        "company": details.company,
        "type": "lead" if details.type is ContactType.LEAD else "customer",
        "phones": [{"number": phone.number, "label": _label(phone.label, _PHONE_LABELS)} for phone in _phones(details)],
        "emails": [{"email": each.email, "label": _label(each.label, _EMAIL_LABELS)} for each in details.emails],
    }


def names(details: Details) -> tuple[str, str]:
    """Both are required, and most contacts of an import lack one.

    A full name in one field is parted. Without any name the company, the e-mail or the phone stands for the first.
    """
    first, last = details.first_name.strip(), details.last_name.strip()
    if first and not last:
        first, _, last = first.partition(" ")
    if not first and not last:
        first = next(_stand_ins(details))
    return first or NO_NAME, last.strip() or NO_NAME


def _stand_ins(details: Details) -> Iterator[str]:
    if details.company.strip():
        yield details.company.strip()
    yield from (email.email for email in details.emails)
    yield from (phone.number for phone in _phones(details))
    yield _UNNAMED


def _phones(details: Details) -> Iterator[Phone]:
    """The main one first; one that stands among the further ones as well is told once, with the label that it has."""
    labels = {phone.number: phone.label for phone in details.phones}
    if details.phone:
        yield Phone(details.phone, labels.get(details.phone, ""))
    yield from (phone for phone in details.phones if phone.number != details.phone)


def _label(label: str, known: frozenset[str]) -> str:
    folded = label.strip().casefold()
    return folded if folded in known else _OTHER

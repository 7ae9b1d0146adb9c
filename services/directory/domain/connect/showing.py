"""A contact as the connect API shows it: every readable key, null when there is nothing."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from services.directory.domain.bag import find_each_in_bag, read_bag
from services.directory.domain.connect.reading import LEAD_STATUS
from services.directory.domain.contact import Contact, Details
from services.directory.domain.lead import full_name
from services.directory.domain.member import Member
from services.directory.domain.search import fold
from services.directory.domain.workspace import LeadStatus, Workspace

_TEXTS: Final = ("photo", "jobTitle", "facebookUrl", "instagramUrl", "linkedinUrl", "note")


def contact_view(contact: Contact, statuses: Sequence[LeadStatus]) -> dict[str, object]:
    """In the order of the document. `lastActivityAt` is the last change since the contact was created."""
    details = contact.details
    found = find_each_in_bag(read_bag(details.additional_fields), (*_TEXTS, LEAD_STATUS))
    texts = {name: _text(found[name]) for name in _TEXTS}
    return {
        "id": contact.number,
        "email": details.emails[0].email if details.emails else None,
        "photo": texts["photo"],
        "firstName": details.first_name or None,
        "lastName": details.last_name or None,
        "fullName": full_name(details).strip() or None,
        "jobTitle": texts["jobTitle"],
        "companyName": details.company or None,
        "phoneNumbers": list(dict.fromkeys(_numbers(details))) or None,
        "facebookUrl": texts["facebookUrl"],
        "instagramUrl": texts["instagramUrl"],
        "linkedinUrl": texts["linkedinUrl"],
        "note": texts["note"],
        "lastActivityAt": _moment(contact.changed_at) if contact.version > 1 else None,
        "createdAt": _moment(contact.created_at),
        "leadStatus": _status(found[LEAD_STATUS], statuses),
    }


def status_view(status: LeadStatus) -> dict[str, object]:
    """A lead status of the workspace."""
    return {
        "id": status.status_id,
        "type": status.type,
        "label": status.label,
        "color": status.color,
        "order": status.order,
    }


def me_view(workspace: Workspace, user: Member | None) -> dict[str, object]:
    """Who asks, and of which workspace."""
    details = {"name": None, "email": None} if user is None else {"name": user.name or None, "email": user.email}
    return {"details": details, "workspace": {"name": workspace.name}}


def _numbers(details: Details) -> Iterator[str]:
    if details.phone:
        yield details.phone
    yield from (phone.number for phone in details.phones)


def _text(value: object | None) -> str | None:
    """Numbers are told as texts."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value).strip() or None


def _status(value: object, statuses: Sequence[LeadStatus]) -> dict[str, object] | None:
    """By its label, whatever the case, or by its id. None for what is no lead status of the workspace any more."""
    if value is None:
        return None
    label = fold(value.strip()) if isinstance(value, str) else None
    number = value if isinstance(value, int) and not isinstance(value, bool) else None
    for status in statuses:
        if number == status.status_id or label == fold(status.label):
            return {"id": status.status_id, "label": status.label, "color": status.color}
    return None


def _moment(moment: datetime) -> str:
    """As in the document's examples: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

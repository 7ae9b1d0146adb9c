"""What the connect API shows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from contactsync.directory.v1 import connect_document_pb2 as pb

from services.directory.domain.connect.showing import contact_view, status_view
from services.directory.domain.contact import Contact, ContactId, Details, Email, Phone
from services.directory.domain.details import details_of
from services.directory.domain.workspace import LeadStatus
from tests.fixtures.shapes import assert_shaped

NOW = datetime(2023, 1, 15, 10, 0, 0, 999_999, tzinfo=UTC)
STATUSES = (LeadStatus(1, "lead", "New Lead", "#3B82F6", 1),)
KEYS = [
    "id", "email", "photo", "firstName", "lastName", "fullName", "jobTitle", "companyName", "phoneNumbers",
    "facebookUrl", "instagramUrl", "linkedinUrl", "note", "lastActivityAt", "createdAt", "leadStatus",
]  # fmt: skip


def view(details: Details, *, version: int = 1) -> dict[str, Any]:
    contact = Contact(ContactId("c"), version, NOW, NOW + timedelta(hours=version - 1), details, 1)
    return contact_view(contact, STATUSES)


def test_every_readable_key_is_there_and_null_when_empty() -> None:
    shown = view(details_of())

    assert list(shown) == KEYS
    assert {key for key, value in shown.items() if value is not None} == {"id", "createdAt"}
    assert shown["createdAt"] == "2023-01-15T10:00:00Z"
    assert_shaped(orjson.dumps(shown), pb.ConnectContactDocument.DESCRIPTOR)


def test_a_whole_contact() -> None:
    details = details_of(
        phone="+79001234567",
        phones=(Phone("+79001234568", "home"), Phone("+79001234567")),
        emails=(Email("john@example.com"), Email("second@example.com")),
        first_name="John",
        last_name="Doe",
        company="Acme Corp",
        additional_fields='{"job_title": "Developer", "photo": "https://x/p.png", "LeadStatus": "new lead", "note": 5}',
    )

    shown = view(details, version=2)

    assert shown["fullName"] == "John Doe"
    assert shown["email"] == "john@example.com"
    assert shown["phoneNumbers"] == ["+79001234567", "+79001234568"]
    assert (shown["jobTitle"], shown["photo"], shown["note"]) == ("Developer", "https://x/p.png", "5")
    assert shown["leadStatus"] == {"id": 1, "label": "New Lead", "color": "#3B82F6"}
    assert shown["lastActivityAt"] == "2023-01-15T11:00:00Z"
    assert "twitterUrl" not in shown
    assert_shaped(orjson.dumps(shown), pb.ConnectContactDocument.DESCRIPTOR)


@pytest.mark.parametrize("status", ['"Gone"', "2", "null", "{}", "true", "1.5"])
def test_a_status_that_the_workspace_does_not_have_is_none(status: str) -> None:
    assert view(details_of(additional_fields=f'{{"leadStatus": {status}}}'))["leadStatus"] is None


def test_lead_status() -> None:
    assert_shaped(orjson.dumps(status_view(STATUSES[0])), pb.ConnectLeadStatusDocument.DESCRIPTOR)

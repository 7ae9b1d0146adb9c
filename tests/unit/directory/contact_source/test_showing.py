"""What the contact source shows."""

from datetime import UTC, datetime

import orjson
import pytest
from contactsync.directory.v1 import contact_source_document_pb2 as pb

from services.directory.domain.contact import Contact, ContactId, ContactType, Details, Email, Phone
from services.directory.domain.contact_source.showing import contact_view, names
from services.directory.domain.details import details_of
from tests.fixtures.shapes import assert_shaped

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def test_the_contact_of_the_document() -> None:
    details = details_of(
        phone="+836985101472",
        phones=(Phone("+836985101472", "Work"), Phone("5", "pager")),
        emails=(Email("v@example.com", "business"), Email("w@example.com")),
        first_name="Victor",
        last_name="Donnelly",
        company="eos",
        type=ContactType.LEAD,
    )

    shown = contact_view(Contact(ContactId("100"), 1, NOW, NOW, details, 1))

    assert shown == {
        "id": "100",
        "first_name": "Victor",
        "last_name": "Donnelly",
        "company": "eos",
        "type": "lead",
        "phones": [{"number": "+836985101472", "label": "work"}, {"number": "5", "label": "other"}],
        "emails": [{"email": "v@example.com", "label": "business"}, {"email": "w@example.com", "label": "other"}],
    }
    assert list(shown) == ["id", "first_name", "last_name", "company", "type", "phones", "emails"]
    assert_shaped(orjson.dumps(shown), pb.SourceContactDocument.DESCRIPTOR)


def test_absent_lists_are_empty_and_a_contact_is_a_customer() -> None:
    shown = contact_view(Contact(ContactId("100"), 1, NOW, NOW, details_of(), 1))

    assert (shown["phones"], shown["emails"], shown["company"], shown["type"]) == ([], [], "", "customer")
    assert_shaped(orjson.dumps(shown), pb.SourceContactDocument.DESCRIPTOR)


@pytest.mark.parametrize(
    ("details", "both"),
    [
        (details_of(first_name="Victor", last_name="Donnelly"), ("Victor", "Donnelly")),
        (details_of(first_name="Victor van Donnelly"), ("Victor", "van Donnelly")),
        (details_of(first_name="Victor"), ("Victor", "-")),
        (details_of(last_name="Donnelly"), ("-", "Donnelly")),
        (details_of(company="eos", phone="+79001234567"), ("eos", "-")),
        (details_of(emails=(Email("v@example.com"),), phone="+79001234567"), ("v@example.com", "-")),
        (details_of(phone="+79001234567"), ("+79001234567", "-")),
        (details_of(), ("Unnamed", "-")),
    ],
)
def test_both_names_are_always_there(details: Details, both: tuple[str, str]) -> None:
    assert names(details) == both

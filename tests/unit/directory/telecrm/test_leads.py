"""A lead as it is given: what is kept, remarked and refused."""

from typing import Any

import pytest

from services.directory.domain.contact import Contact, ContactId
from services.directory.domain.identity import phone_identity
from services.directory.domain.telecrm.leads import (
    changed_details,
    check_identifier,
    identity_of,
    new_details,
    new_labels,
    read_changes,
    read_lead,
    shown_fields,
    shown_status,
)
from services.directory.domain.telecrm.refusals import (
    BadRequestError,
    FixedIdentifierError,
    InvalidLeadError,
    InvalidValueError,
)
from services.directory.domain.workspace import Workspace
from tests.unit.directory.telecrm.worlds import NOW, facts, workspace

WORKSPACE = workspace()
FACTS = facts(WORKSPACE)


def created(fields: dict[str, Any], where: Workspace = WORKSPACE) -> Contact:
    read = read_lead(fields, where, facts(where))
    return Contact(ContactId("c"), 1, NOW, NOW, new_details(read.values, where), 1)


def test_a_lead_is_shown_as_it_was_given() -> None:
    given = {
        "name": "Jane van Doe",
        "phone": "919999999999",
        "email": "Jane.Doe@example.com",
        "company": "Acme",
        "tags": ["VIP"],
        "status": "Contacted",
        "rating": 4,
        "note": "Site visit",
        "visit": 1672561800000,
        "interests": ["a", "b"],
        "budget": "1000",
    }

    lead = created(given)

    assert shown_fields(lead, WORKSPACE) == given
    assert shown_status(lead, WORKSPACE) == "Contacted"


def test_a_lead_without_a_status_has_the_first_one() -> None:
    assert shown_status(created({"phone": "919999999999"}), WORKSPACE) == "Fresh"


def test_what_cannot_be_kept_is_remarked_in_the_order_given() -> None:
    read = read_lead(
        {"phone": "9999999999", "stars": 9, "email": "x", "who": 1, "status": "Old", "note": "n"}, WORKSPACE, FACTS
    )

    assert dict(read.values) == {"phone": "919999999999", "note": "n"}
    assert [(each.field, each.remark, each.broken) for each in read.remarks] == [
        ("fields.stars", "Rating must be between 1 and 5", True),
        ("fields.email", "Email is invalid", True),
        ("fields.who", "Unknown field", False),
        ("fields.status", "Status is not an active one", False),
    ]


@pytest.mark.parametrize("phone", ["9999999999", "919999999999", "+919999999999"])
def test_every_spelling_of_a_phone_is_one_lead(phone: str) -> None:
    read = read_lead({"phone": phone}, WORKSPACE, FACTS)

    assert identity_of(read.values, WORKSPACE) == phone_identity("+919999999999")


@pytest.mark.parametrize("value", [None, "", "  ", "12", 919999999999, ["919999999999"], {}, True])
def test_a_lead_needs_an_identifier_that_is_one(value: Any) -> None:
    with pytest.raises(InvalidLeadError):
        check_identifier({"phone": value, "name": "x"}, WORKSPACE, FACTS)


def test_a_lead_without_the_identifier_is_refused() -> None:
    with pytest.raises(InvalidLeadError) as caught:
        check_identifier({"name": "Jane"}, WORKSPACE, FACTS)

    assert caught.value.message == "Lead identifier field phone is missing"


@pytest.mark.parametrize(
    ("identifier", "first", "second"),
    [("email", "Jane@Example.com", " jane@example.COM "), ("code", "CUST-04821", "cust-04821")],
)
def test_other_identifiers_count_whatever_their_case(identifier: str, first: str, second: str) -> None:
    where = workspace(fields=[{"apiName": "code", "type": "text"}], identifier=identifier)

    one, other = (identity_of(read_lead({identifier: each}, where, FACTS).values, where) for each in (first, second))

    assert one == other
    assert one in created({identifier: first}, where).details.identities


def test_a_text_identifier_of_a_megabyte_is_refused() -> None:
    where = workspace(fields=[{"apiName": "code", "type": "text"}], identifier="code")

    with pytest.raises(InvalidLeadError):
        check_identifier({"code": "x" * 1_000_000}, where, FACTS)


def test_a_change_keeps_what_is_not_given() -> None:
    lead = created({"phone": "919999999999", "name": "Jane Doe", "note": "n", "rating": 4})

    values = read_changes({"rating": 5, "name": "Janet", "who": 1, "status": "Old"}, WORKSPACE, FACTS)
    changed = lead._replace(details=changed_details(lead.details, values, WORKSPACE))

    assert shown_fields(changed, WORKSPACE) == {
        "phone": "919999999999", "name": "Janet", "note": "n", "rating": 5, "status": "Fresh",
    }  # fmt: skip


@pytest.mark.parametrize("value", ["919999999999", "918888888888", None, 5])
def test_a_change_of_the_identifier_is_refused(value: Any) -> None:
    with pytest.raises(FixedIdentifierError) as caught:
        read_changes({"stars": 99, "phone": value}, WORKSPACE, FACTS)

    refused = caught.value
    assert (refused.reason, refused.code) == ("FORBIDDEN", "INVALID_LEAD")
    assert refused.message == "Cannot modify lead identifier field"


def test_a_change_of_a_locked_field_is_refused() -> None:
    with pytest.raises(BadRequestError):
        read_changes({"locked": "x"}, WORKSPACE, FACTS)


def test_a_bad_value_refuses_the_whole_change() -> None:
    with pytest.raises(InvalidValueError) as caught:
        read_changes({"note": "n", "stars": 9, "email": "x"}, WORKSPACE, FACTS)

    assert caught.value.message == "Rating must be between 1 and 5"
    assert [each.pointer for each in caught.value.violations] == ["/fields/stars", "/fields/email"]


def test_labels_that_a_dropdown_does_not_have_are_new() -> None:
    assert new_labels({"contact_source": "Fair", "note": "Website"}, WORKSPACE) == {"contact_source": "Fair"}
    assert new_labels({"contact_source": "Website"}, WORKSPACE) == {}

"""What tells the leads of a workspace apart: the identity of its identifier field's value."""

from services.directory.domain import fields
from services.directory.domain.bag import find_in_bag, read_bag
from services.directory.domain.contact import Details, Given, Identity, Tombstone, Unreadable
from services.directory.domain.details import details_of
from services.directory.domain.fields import FieldType
from services.directory.domain.identity import LEAD_SCOPE, is_lead_id, phone_identity, scoped, scoped_identity
from services.directory.domain.lead import full_name
from services.directory.domain.search import fold
from services.directory.domain.workspace import Workspace


def lead_identity(workspace: Workspace, value: str) -> Identity:
    """The identity that a lead of this identifier owns; a phone is in E.164, all else counts whatever its case."""
    if workspace.identifier_field.type is FieldType.PHONE:
        return phone_identity(value)
    return scoped_identity(LEAD_SCOPE, fold(value.strip()))


def identifier_value(details: Details, workspace: Workspace) -> str:
    """The contact's value of the identifier field; empty when it has none."""
    match workspace.own_name(workspace.identifier):
        case fields.PHONE:
            return details.phone
        case fields.EMAIL:
            return details.emails[0].email if details.emails else ""
        case fields.NAME:
            return full_name(details)
        case fields.COMPANY:
            return details.company
        case name:
            value = find_in_bag(read_bag(details.additional_fields), name)
            return value if isinstance(value, str) else ""


def identified(details: Details, workspace: Workspace) -> Details:
    """The details with the identity of their identifier; once a contact has one it stays."""
    value = fold(identifier_value(details, workspace).strip())
    if workspace.identifier_field.type is FieldType.PHONE or not value:
        return details
    own = scoped(LEAD_SCOPE, value)
    if any(map(is_lead_id, details.external_ids)):
        return details
    return details_of(
        phone=details.phone,
        phones=details.phones,
        emails=details.emails,
        external_ids=(own, *details.external_ids),
        first_name=details.first_name,
        last_name=details.last_name,
        company=details.company,
        type=details.type,
        tags=details.tags,
        additional_fields=details.additional_fields,
    )


def identified_given(given: Given, workspace: Workspace) -> Given:
    """What a delivery gives, with the identities of its identifiers."""
    match given:
        case Unreadable():
            return given
        case Tombstone(details):
            return Tombstone(identified(details, workspace))
        case details:
            return identified(details, workspace)

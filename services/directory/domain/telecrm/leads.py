"""A lead as it is given, and as it is shown."""

from collections.abc import Mapping

from services.directory.domain.contact import Contact, Details, Identity
from services.directory.domain.details import details_of
from services.directory.domain.fields import COMPANY, EMAIL, NAME, PHONE, STATUS, TAGS, FieldType
from services.directory.domain.identifying import identified, lead_identity
from services.directory.domain.lead import OWN, lead_values, rewrite, split_name
from services.directory.domain.spelling import Spelled, spelled_fields
from services.directory.domain.telecrm.refusals import (
    BadRequestError,
    FixedIdentifierError,
    InvalidLeadError,
    InvalidValueError,
    Violation,
)
from services.directory.domain.telecrm.remarks import Read, read_values
from services.directory.domain.telecrm.showing import shown_value
from services.directory.domain.telecrm.values import Facts, Unfit, read_value
from services.directory.domain.workspace import Workspace

_LONGEST_KEY = 256
"""Of an identifier that is text."""


def field_types(workspace: Workspace) -> dict[str, FieldType]:
    """The type of each field by its name."""
    return {field.api_name: field.type for field in workspace.fields}


def given_fields(body: Mapping[str, object]) -> Mapping[str, object] | None:
    """The fields of a body; None when it has none, or they are no object."""
    fields = body.get("fields")
    return fields if isinstance(fields, dict) else None


def check_identifier(fields: Mapping[str, object], workspace: Workspace, facts: Facts) -> None:
    """Raises InvalidLeadError unless the identifier is there and can be one."""
    name = workspace.identifier
    value = fields.get(name)
    if value is None or (isinstance(value, str) and not value.strip()):
        raise InvalidLeadError(f"Lead identifier field {name} is missing")
    found = read_value(value, workspace.identifier_field.type, facts)
    if isinstance(found, Unfit) or not isinstance(found, str):
        why = f": {found.remark}" if isinstance(found, Unfit) else ""
        raise InvalidLeadError(f"Lead identifier field {name} is invalid{why}")
    if len(found) > _LONGEST_KEY:
        raise InvalidLeadError(f"Lead identifier field {name} may have at most {_LONGEST_KEY} characters")


def identity_of(values: Mapping[str, object], workspace: Workspace) -> Identity:
    """What no two leads of the workspace share, of values that hold an identifier."""
    value = str(values[workspace.identifier])
    return lead_identity(workspace, f"+{value}" if workspace.identifier_field.type is FieldType.PHONE else value)


def read_lead(fields: Mapping[str, object], workspace: Workspace, facts: Facts) -> Read:
    """The values that can be kept of a lead to create."""
    return read_values(fields, field_types(workspace), facts, where="fields")


def read_changes(fields: Mapping[str, object], workspace: Workspace, facts: Facts) -> Mapping[str, object]:
    """The values to write over a lead's; unknown fields and labels that may not be given are left out.

    Raises FixedIdentifierError, BadRequestError for a field that is locked, and InvalidValueError.
    """
    if workspace.identifier in fields:
        raise FixedIdentifierError
    for field in workspace.fields:
        if field.lock_after_create and field.api_name in fields:
            raise BadRequestError(f"Cannot modify locked field {field.api_name}")
    read = read_lead(fields, workspace, facts)
    if broken := [remark for remark in read.remarks if remark.broken]:
        violations = [Violation("/" + each.field.replace(".", "/", 1), each.remark) for each in broken]
        raise InvalidValueError(broken[0].remark, violations)
    return read.values


def new_details(values: Mapping[str, object], workspace: Workspace) -> Details:
    """A contact of these values, with the identity of its identifier."""
    return identified(changed_details(details_of(), values, workspace), workspace)


def changed_details(details: Details, values: Mapping[str, object], workspace: Workspace) -> Details:
    """The details with these values over them. Names spelled among other fields are the contact's own names as well."""
    own, rest = _parted(values, workspace)
    spelled = spelled_fields(rest)
    name = _text(own, NAME)
    first, last = (None, None) if name is None else split_name(name)
    return rewrite(
        details,
        phone=None if PHONE not in own else f"+{own[PHONE]}",
        email=_text(own, EMAIL),
        first_name=spelled.get(Spelled.FIRST_NAME, first),
        last_name=spelled.get(Spelled.LAST_NAME, last),
        company=_text(own, COMPANY),
        tags=_texts(own.get(TAGS)),
        fields=rest,
    )


def _parted(values: Mapping[str, object], workspace: Workspace) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """What a contact has of its own, by the book's names, and all else by the workspace's."""
    own: dict[str, object] = {}
    rest: dict[str, object] = {}
    for name, value in values.items():
        known = workspace.own_name(name)
        (own if known in OWN else rest)[known if known in OWN else name] = value
    return own, rest


def _text(values: Mapping[str, object], name: str) -> str | None:
    value = values.get(name)
    return None if value is None else str(value)


def _texts(value: object) -> list[str] | None:
    return [str(each) for each in value] if isinstance(value, list) else None


def shown_fields(contact: Contact, workspace: Workspace) -> dict[str, object]:
    """All fields that the lead has a value for, each as its type shows it."""
    types = field_types(workspace)
    values = lead_values(contact.details, workspace).items()
    return {name: shown for name, value in values if (shown := shown_value(value, types[name])) is not None}


def shown_status(contact: Contact, workspace: Workspace) -> str | None:
    """The label of its status."""
    value = lead_values(contact.details, workspace).get(STATUS)
    return value if isinstance(value, str) else None


def new_labels(values: Mapping[str, object], workspace: Workspace) -> dict[str, str]:
    """The labels that were given for a dropdown and are no options of it yet, by the field's name."""
    labels: dict[str, str] = {}
    for field in workspace.fields:
        value = values.get(field.api_name)
        known = {option.label for option in field.options}
        if field.type is FieldType.DROPDOWN and isinstance(value, str) and value not in known:
            labels[field.api_name] = value
    return labels

"""A contact as a lead: its values by the names of the workspace's fields.

The well-known fields are read from the contact itself, all others from its additional fields under any usual spelling,
so what an import brought is at once what the published APIs show.
"""

from collections.abc import Mapping, Sequence

from services.directory.domain.bag import REMOVE, Absent, find_in_bag, put_into_bag, read_bag
from services.directory.domain.contact import Details, Email, Phone
from services.directory.domain.details import details_of
from services.directory.domain.fields import COMPANY, EMAIL, NAME, PHONE, TAGS, FieldType
from services.directory.domain.spelling import Spelled, spellings_in
from services.directory.domain.workspace import Workspace

OWN: frozenset[str] = frozenset({PHONE, NAME, EMAIL, COMPANY, TAGS})
"""The fields that a contact has of its own; the others lie among its additional fields."""


def full_name(details: Details) -> str:
    """First and last name with a space between."""
    return f"{details.first_name} {details.last_name}".strip() if details.last_name else details.first_name


def split_name(name: str) -> tuple[str, str]:
    """First word and the rest, such that `full_name` of the two is the name again."""
    first, _, last = name.strip().partition(" ")
    return first, last


def lead_values(details: Details, workspace: Workspace) -> dict[str, object]:
    """Every field of the workspace that the contact has a value for, in the order of the workspace's fields."""
    own = own_values(details)
    bag = read_bag(details.additional_fields)
    values: dict[str, object] = {}
    for field in workspace.fields:
        name = workspace.own_name(field.api_name)
        value = own[name] if name in OWN else find_in_bag(bag, name)
        if field.type is FieldType.STATUS:
            value = status_of(value, workspace)
        if value not in (None, "", [], ()):
            values[field.api_name] = value
    return values


def own_values(details: Details) -> dict[str, object]:
    """The fields of OWN, those that are empty too."""
    return {
        PHONE: details.phone,
        NAME: full_name(details),
        EMAIL: details.emails[0].email if details.emails else "",
        COMPANY: details.company,
        TAGS: list(details.tags),
    }


def status_of(value: object, workspace: Workspace) -> str:
    """The label itself when it is an active status, else the first one of the pipeline: every lead has one."""
    first = ""
    for status in workspace.pipeline.active_statuses():
        if status.label == value or value is None:
            return status.label
        first = first or status.label
    return first


def rewrite(
    details: Details,
    *,
    phone: str | None = None,
    phones: Sequence[Phone] | None = None,
    email: str | None = None,
    first_name: str | None = None,
    last_name: str | None = None,
    company: str | None = None,
    tags: Sequence[str] | None = None,
    fields: Mapping[str, object | Absent] | None = None,
) -> Details:
    """The details with these values in place of what was known; None keeps it, an empty value takes it away.

    `fields` go among the additional fields, whose other values stay byte for byte. Where they spell a name, the company
    or the e-mail that is rewritten here, they follow. A main phone that gives way is no longer the contact's.
    """
    changed = details_of(
        phone=details.phone if phone is None else phone,
        phones=_phones(details, phone, phones),
        emails=details.emails if email is None else _emails(details, email),
        external_ids=details.external_ids,
        first_name=details.first_name if first_name is None else first_name,
        last_name=details.last_name if last_name is None else last_name,
        company=details.company if company is None else company,
        type=details.type,
        tags=details.tags if tags is None else tuple(dict.fromkeys(tags)),
        additional_fields=put_into_bag(details.additional_fields, fields) if fields else details.additional_fields,
    )
    return _respelled(details, changed)


def _phones(details: Details, phone: str | None, phones: Sequence[Phone] | None) -> tuple[Phone, ...]:
    kept = details.phones if phones is None else tuple(phones)
    return kept if phone is None else tuple(each for each in kept if each.number != details.phone)


def _emails(details: Details, email: str) -> tuple[Email, ...]:
    rest = tuple(each for each in details.emails[1:] if each.email.casefold() != email.casefold())
    return (Email(email), *rest) if email else rest


def _respelled(before: Details, after: Details) -> Details:
    """What callers spelled among the additional fields would otherwise tell of the value before."""
    new = {
        Spelled.FIRST_NAME: after.first_name,
        Spelled.LAST_NAME: after.last_name,
        Spelled.FULL_NAME: full_name(after),
        Spelled.COMPANY: after.company,
        Spelled.EMAIL: after.emails[0].email if after.emails else "",
    }
    old = {
        Spelled.FIRST_NAME: before.first_name,
        Spelled.LAST_NAME: before.last_name,
        Spelled.FULL_NAME: full_name(before),
        Spelled.COMPANY: before.company,
        Spelled.EMAIL: before.emails[0].email if before.emails else "",
    }
    spelled = spellings_in(read_bag(after.additional_fields))
    changes = {key: new[what] or REMOVE for key, what in spelled.items() if new[what] != old[what]}
    if not changes:
        return after
    return after._replace(additional_fields=put_into_bag(after.additional_fields, changes))

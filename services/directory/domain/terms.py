"""What an exact search finds a lead by: one number for each pair of a field and a value."""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NewType

from services.directory.domain.bag import read_bag
from services.directory.domain.contact import Details, WorkspaceId
from services.directory.domain.fields import COMPANY, EMAIL, NAME, PHONE, TAGS, CustomField, FieldType
from services.directory.domain.lead import OWN, full_name, status_of
from services.directory.domain.search import fold
from services.directory.domain.workspace import Workspace

Term = NewType("Term", int)

EVERY_LEAD: Final = ""
"""The field that every lead has: its term is that of all leads of a workspace."""
BY_IDENTITY: Final = frozenset({PHONE, EMAIL})
"""Own fields that are found as identities of the contact, any of its phones and e-mails."""


@lru_cache(4096)  # statuses, tags and companies come again and again
def term_of(workspace_id: WorkspaceId, field: str, value: str) -> Term:
    """64 bits, signed; two pairs have the same one about never."""
    digest = blake2b(f"{workspace_id}\0{field}\0{value}".encode(), digest_size=8).digest()
    return Term(int.from_bytes(digest, signed=True))


def searched_text(value: object, type: FieldType) -> str:  # noqa: A002 - the contract's name for it
    """The value as it is compared: whatever its case, numbers by what they are worth, a status to the letter."""
    if type is FieldType.STATUS:
        return str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) or type in {FieldType.NUMBER, FieldType.MONEY, FieldType.RATING, FieldType.DATE}:
        return _number_text(str(value))
    return fold(str(value).strip())


def _number_text(text: str) -> str:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return fold(text.strip())
    return format(number.normalize(), "f") if number.is_finite() and abs(number.adjusted()) < 40 else text.strip()


def terms_of(details: Details, workspace: Workspace) -> set[Term]:
    """All terms of a lead. Phones and e-mails have none: they are found as identities."""
    workspace_id = workspace.workspace_id
    terms = {term_of(workspace_id, EVERY_LEAD, "")}
    if name := full_name(details):
        terms.add(term_of(workspace_id, NAME, fold(name)))
    if details.company:
        terms.add(term_of(workspace_id, COMPANY, fold(details.company)))
    for tag in details.tags:
        terms.add(term_of(workspace_id, TAGS, fold(tag.strip())))
    for field, value in _bagged(details, workspace):
        for each in value if isinstance(value, list) else (value,):
            if each is not None and not isinstance(each, dict) and (text := searched_text(each, field.type)):
                terms.add(term_of(workspace_id, field.api_name, text))
    return terms


def _bagged(details: Details, workspace: Workspace) -> Iterator[tuple[CustomField, object]]:
    """The fields that lie among the additional ones, with their values; every lead has a status."""
    bag = read_bag(details.additional_fields)
    seen: set[str] = set()
    for key, value in bag.items():
        for field in workspace.fields.spelled(key):
            name = field.api_name
            if (key != name and name in bag) or name in seen or workspace.own_name(name) in OWN:
                continue
            seen.add(name)
            yield field, status_of(value, workspace) if field.type is FieldType.STATUS else value
    for field in workspace.fields.statuses:
        if field.api_name not in seen:
            yield field, status_of(None, workspace)

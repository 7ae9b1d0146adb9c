"""What an operator changes about a contact: values by the names that people give them."""

from collections.abc import Mapping

from services.directory.domain.bag import REMOVE, Absent
from services.directory.domain.contact import ContactType, Details
from services.directory.domain.errors import ValueRefusedError
from services.directory.domain.fields import COMPANY, EMAIL, PHONE, FieldType, squashed
from services.directory.domain.identity import is_normalised
from services.directory.domain.lead import rewrite, split_name
from services.directory.domain.spelling import Spelled, is_plausible, spelling_of
from services.directory.domain.workspace import Workspace

_TYPES = {"": ContactType.NOT_GIVEN, "customer": ContactType.CUSTOMER, "lead": ContactType.LEAD}
_NAMES = {
    Spelled.FIRST_NAME: "first_name",
    Spelled.LAST_NAME: "last_name",
    Spelled.COMPANY: COMPANY,
    Spelled.EMAIL: EMAIL,
}


def phone_given(values: Mapping[str, str], workspace: Workspace) -> str:
    """The phone among the values; empty when there is none."""
    return next((value for name, value in values.items() if _own(name, workspace) == PHONE), "")


def with_values(details: Details, values: Mapping[str, str], workspace: Workspace, *, phone: str) -> Details:
    """The details with these values, an empty one taking away what was there. Raises ValueRefusedError.

    `phone` is the one among the values in E.164, as far as it could be read.
    """
    own: dict[str, str] = {}
    fields: dict[str, object | Absent] = {}
    kind = details.type
    for name, value in values.items():
        spelled = spelling_of(name)
        text = value.strip()
        if _own(name, workspace) == PHONE:
            own[PHONE] = _checked_phone(name, text, phone)
        elif squashed(name) == "type":
            kind = _checked_type(name, text)
        elif spelled is Spelled.FULL_NAME:
            own["first_name"], own["last_name"] = split_name(text)
        elif spelled is not None:
            own[_NAMES[spelled]] = _checked(name, text, spelled)
        elif _own(name, workspace) == EMAIL:
            own[EMAIL] = _checked(name, text, Spelled.EMAIL)
        else:
            fields[name] = _typed(name, text, workspace)
    return rewrite(
        details,
        phone=own.get(PHONE),
        email=own.get(EMAIL),
        first_name=own.get("first_name"),
        last_name=own.get("last_name"),
        company=own.get(COMPANY),
        fields=fields,
    )._replace(type=kind)


def _own(name: str, workspace: Workspace) -> str:
    field = workspace.fields.find(name)
    return workspace.own_name(name) if field is not None else squashed(name)


def _checked_phone(name: str, text: str, phone: str) -> str:
    if text and not is_normalised(phone):
        raise ValueRefusedError(name, "It is no phone number; give it as +79001234567.")
    return phone if text else ""


def _checked_type(name: str, text: str) -> ContactType:
    if text not in _TYPES:
        raise ValueRefusedError(name, "customer or lead is wanted.")
    return _TYPES[text]


def _checked(name: str, text: str, spelled: Spelled) -> str:
    if text and not is_plausible(spelled, text):
        raise ValueRefusedError(name, "It is no e-mail address." if spelled is Spelled.EMAIL else "It is too long.")
    return text


def _typed(name: str, text: str, workspace: Workspace) -> object | Absent:
    """A number where the field holds numbers, else the text."""
    if not text:
        return REMOVE
    field = workspace.fields.find(name)
    if field is None or field.type not in {FieldType.NUMBER, FieldType.RATING, FieldType.DATE}:
        return text
    try:
        return int(text)
    except ValueError:
        raise ValueRefusedError(name, "A whole number is wanted.") from None

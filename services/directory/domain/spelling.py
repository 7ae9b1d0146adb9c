"""Names, company, e-mail and type that callers put among the additional fields, in any of the usual spellings."""

from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import Final

from services.directory.domain.contact import ContactType

_LONGEST_NAME, _LONGEST_ADDRESS = 256, 320


class Spelled(Enum):
    """A field of a contact that an additional field may carry."""

    FIRST_NAME = auto()
    LAST_NAME = auto()
    FULL_NAME = auto()
    COMPANY = auto()
    EMAIL = auto()


_WORDS = {
    Spelled.FIRST_NAME: ("first name", "given name", "имя"),
    Spelled.LAST_NAME: ("last name", "family name", "surname", "фамилия"),
    Spelled.FULL_NAME: ("name", "full name", "фио"),
    Spelled.COMPANY: ("company", "company name", "organization", "organisation", "компания"),
    Spelled.EMAIL: ("email", "e mail", "mail", "email address", "почта"),
}


_TYPE_KEYS: Final = ("type", "Type", "TYPE")
_TYPES: Final = {"customer": ContactType.CUSTOMER, "lead": ContactType.LEAD}


def _spellings(words: str) -> Iterator[str]:
    """first_name, first-name, "first name", firstname and firstName; also FIRST_NAME, First_name and FirstName."""
    parts = words.split()
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    for spelling in ("_".join(parts), "-".join(parts), " ".join(parts), "".join(parts)):
        yield from (spelling, spelling.upper(), spelling.capitalize(), spelling.title())
    yield from (camel, camel[0].upper() + camel[1:], "_".join(part.capitalize() for part in parts))


_FIELDS: Mapping[str, Spelled] = {
    spelling: spelled for spelled, names in _WORDS.items() for name in names for spelling in _spellings(name)
}


def spelled_fields(additional_fields: Mapping[str, object]) -> dict[Spelled, str]:
    """What the additional fields say. Of two spellings of one field the first counts; blank and other values do not."""
    found: dict[Spelled, str] = {}
    for key, value in additional_fields.items():
        spelled = _FIELDS.get(key)
        if spelled is not None and isinstance(value, str) and spelled not in found:
            text = value.strip()
            if is_plausible(spelled, text):
                found[spelled] = text
    return found


def spelled_type(additional_fields: Mapping[str, object]) -> ContactType:
    """What the additional fields say of the type; NOT_GIVEN for any other word than those of the contact source."""
    for key in _TYPE_KEYS:
        value = additional_fields.get(key)
        if isinstance(value, str) and (found := _TYPES.get(value.strip().casefold())):
            return found
    return ContactType.NOT_GIVEN


def is_plausible(spelled: Spelled, text: str) -> bool:
    """Whether it may be a value of the field at all."""
    if spelled is Spelled.EMAIL:
        name, _, domain = text.rpartition("@")
        return bool(name and domain) and len(text) <= _LONGEST_ADDRESS and not any(map(str.isspace, text))
    return 0 < len(text) <= _LONGEST_NAME


def spellings_in(additional_fields: Mapping[str, object]) -> dict[str, Spelled]:
    """The keys that spell a field of a contact, and which."""
    return {key: _FIELDS[key] for key in additional_fields if key in _FIELDS}


def spelling_of(name: str) -> Spelled | None:
    """The field that the name spells."""
    return _FIELDS.get(name)

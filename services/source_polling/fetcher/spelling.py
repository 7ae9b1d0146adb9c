"""Which of a lead's fields is a phone, an e-mail address, a name or the company: workspaces name them as they like."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from functools import lru_cache

_SEPARATORS = str.maketrans("", "", " _-.")
_PHONE = re.compile(
    r"(?P<of>alternate|alternative|secondary|other|primary|main|work|office|home|contact)?(?P<what>phone|mobile|телефон)"
    r"(phone|number|no)?[0-9]?"
)
_EMAIL = re.compile(
    r"(?P<of>alternate|alternative|secondary|other|primary|main|work|office|business|private|personal)?"
    r"(e?mail|почта)(address|id)?[0-9]?"
)
_WORDS = {
    "firstname": "first_name",
    "givenname": "first_name",
    "имя": "first_name",
    "lastname": "last_name",
    "familyname": "last_name",
    "surname": "last_name",
    "фамилия": "last_name",
    "company": "company",
    "companyname": "company",
    "organization": "company",
    "organisation": "company",
    "компания": "company",
    "tags": "tags",
    "теги": "tags",
}
_LABELS = {"work": "work", "office": "work", "home": "home"}
_EMAIL_LABELS = {
    "work": "business",
    "office": "business",
    "business": "business",
    "private": "private",
    "personal": "private",
}


class Place(Enum):
    """Where in a record a field belongs."""

    PHONE = auto()
    EMAIL = auto()
    FIRST_NAME = auto()
    LAST_NAME = auto()
    COMPANY = auto()
    TAGS = auto()
    EXTRA = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a field is. `label`: of a phone or an e-mail address; `main`: it goes before all others."""

    place: Place
    label: str = "other"
    main: bool = False


@lru_cache(maxsize=4096)
def meaning(name: str) -> Meaning:
    """Tell what a field of this name is, in any of its usual spellings."""
    squashed = name.translate(_SEPARATORS).casefold()
    if squashed in _WORDS:
        return Meaning(Place[_WORDS[squashed].upper()])
    if phone := _PHONE.fullmatch(squashed):
        of = phone["of"] or ("mobile" if phone["what"] == "mobile" else "")
        return Meaning(Place.PHONE, _LABELS.get(of, "mobile" if of == "mobile" else "other"), main=squashed == "phone")
    if email := _EMAIL.fullmatch(squashed):
        return Meaning(Place.EMAIL, _EMAIL_LABELS.get(email["of"] or "", "other"), main=squashed == "email")
    return Meaning(Place.EXTRA)

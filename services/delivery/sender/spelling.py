"""What a field is called: first_name, firstName, "First name" and FIRST-NAME are one, and some names are synonyms."""

from collections.abc import Mapping
from enum import Enum

_SEPARATORS = str.maketrans("", "", " _-.")


class Known(Enum):
    """A field that every contact may have."""

    PHONE = "phone"
    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "name"
    COMPANY = "company"
    TAGS = "tags"


_WORDS: Mapping[Known, tuple[str, ...]] = {
    Known.PHONE: ("phone", "phonenumber", "mobile", "mobilenumber", "mobilephone", "телефон"),
    Known.EMAIL: ("email", "mail", "emailaddress", "emailid", "почта"),
    Known.FIRST_NAME: ("firstname", "givenname", "имя"),
    Known.LAST_NAME: ("lastname", "familyname", "surname", "фамилия"),
    Known.FULL_NAME: ("name", "fullname", "фио"),
    Known.COMPANY: ("company", "companyname", "organization", "organisation", "компания"),
    Known.TAGS: ("tags", "tag", "labels", "теги"),
}
_KNOWN: Mapping[str, Known] = {word: known for known, words in _WORDS.items() for word in words}


def squash(name: str) -> str:
    """Return what all spellings of a name have in common."""
    return name.translate(_SEPARATORS).casefold()


def known(name: str) -> Known | None:
    """Tell which field a name is, in any of its spellings. None: another one."""
    return _KNOWN.get(squash(name))


def words(of: Known) -> tuple[str, ...]:
    """Give the squashed names of a field, the usual first."""
    return _WORDS[of]

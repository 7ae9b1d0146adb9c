"""A contact as the connect API gives it: judged in its order, and refused in its words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.directory.domain.bag import put_into_bag
from services.directory.domain.contact import NO_FIELDS, Details, Email, Phone
from services.directory.domain.details import details_of
from services.directory.domain.identity import is_normalised
from services.directory.domain.telecrm.values import is_email
from services.directory.domain.workspace import LeadStatus

NO_NAME: Final = "At least email or firstName is required"
BAD_EMAIL: Final = "Invalid email"
BAD_STATUS: Final = "Invalid lead status"
LEAD_STATUS: Final = "leadStatus"
"""Where a contact's lead status lies among its additional fields, by its label."""

_LONGEST_NAME, _LONGEST_URL, _LONGEST_NOTE, _LONGEST_PHONE, _MOST_PHONES = 256, 2048, 65_536, 64, 50
_OWN: Final = {"firstName": _LONGEST_NAME, "lastName": _LONGEST_NAME, "companyName": _LONGEST_NAME}
_FURTHER: Final = {
    "jobTitle": _LONGEST_NAME,
    "facebookUrl": _LONGEST_URL,
    "instagramUrl": _LONGEST_URL,
    "linkedinUrl": _LONGEST_URL,
    "twitterUrl": _LONGEST_URL,
    "note": _LONGEST_NOTE,
}
"""What a contact has no place of its own for: it lies among the additional fields, by these names."""


@dataclass(frozen=True, slots=True)
class Unfit:
    """The contact is refused; the message is a sentence without contact data."""

    message: str


@dataclass(frozen=True, slots=True, repr=False)
class NewContact:
    """A contact to create: texts are trimmed, and empty ones were not given."""

    email: str
    texts: Mapping[str, str]
    """By the API's names, those that were given."""
    phones: tuple[str, ...]
    status: LeadStatus | None = field(default=None)


def read_new(given: Mapping[str, object], statuses: Sequence[LeadStatus]) -> NewContact | Unfit:
    """The contact, or the first thing that is wrong with it: presence, e-mail, lead status, then the rest by name.

    null and a blank text are no value. Keys that the API does not name are ignored.
    """
    email = _trimmed(given.get("email"))
    if email is None and _trimmed(given.get("firstName")) is None:
        return Unfit(NO_NAME)
    if email is not None and not (isinstance(email, str) and is_email(email)):
        return Unfit(BAD_EMAIL)
    status = _status(given.get(LEAD_STATUS), statuses)
    if isinstance(status, Unfit):
        return status
    phones = _phones(given.get("phoneNumbers"))
    texts = {name: _text(name, given.get(name), most) for name, most in (_OWN | _FURTHER).items()}
    for fit in (phones, *texts.values()):
        if isinstance(fit, Unfit):
            return fit
    kept = {name: text for name, text in texts.items() if isinstance(text, str) and text}
    assert not isinstance(phones, Unfit)  # told above
    return NewContact(email if isinstance(email, str) else "", kept, phones, status)


def details_of_new(new: NewContact, numbers: Mapping[str, str]) -> Details:
    """The book's contact; `numbers` is the E.164 of each phone that has one. The first of those is the main phone."""
    phones = tuple(dict.fromkeys(numbers.get(phone, phone) for phone in new.phones))
    main = next((phone for phone in phones if is_normalised(phone)), "")
    further = {name: new.texts[name] for name in _FURTHER if name in new.texts}
    if new.status is not None:
        further[LEAD_STATUS] = new.status.label
    return details_of(
        phone=main,
        phones=tuple(Phone(phone) for phone in phones if phone != main),
        emails=(Email(new.email),) if new.email else (),
        first_name=new.texts.get("firstName", ""),
        last_name=new.texts.get("lastName", ""),
        company=new.texts.get("companyName", ""),
        additional_fields=put_into_bag(NO_FIELDS, further) if further else NO_FIELDS,
    )


def _trimmed(value: object) -> object | None:
    """None for what counts as not given."""
    return value.strip() or None if isinstance(value, str) else value


def _text(name: str, value: object, most: int) -> str | Unfit:
    text = _trimmed(value)
    if text is None:
        return ""
    return text if isinstance(text, str) and len(text) <= most else Unfit(f"Invalid {name}")


def _phones(value: object) -> tuple[str, ...] | Unfit:
    """A list of texts, or one text; blank ones are none."""
    if value is None:
        return ()
    given = value if isinstance(value, list) else [value]
    texts = [text.strip() for text in given if isinstance(text, str)]
    if len(texts) < len(given) or len(texts) > _MOST_PHONES or any(len(text) > _LONGEST_PHONE for text in texts):
        return Unfit("Invalid phoneNumbers")
    return tuple(text for text in texts if text)


def _status(value: object, statuses: Sequence[LeadStatus]) -> LeadStatus | Unfit | None:
    if _trimmed(value) is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        return Unfit(BAD_STATUS)
    return next((status for status in statuses if status.status_id == value), Unfit(BAD_STATUS))

"""A contact as connect writes it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.delivery.sender.contacts import Contact
from services.delivery.sender.spelling import Known, known, squash

WRITABLE = (
    "email",
    "firstName",
    "lastName",
    "jobTitle",
    "companyName",
    "phoneNumbers",
    "facebookUrl",
    "instagramUrl",
    "linkedinUrl",
    "twitterUrl",
    "note",
)
LEAD_STATUS = "leadStatus"
UNREADABLE = frozenset({"twitterUrl"})
"""Can be written and is never shown, so it is not compared."""
_BY_NAME: Mapping[str, str] = {squash(name): name for name in WRITABLE} | {
    "notes": "note",
    "facebook": "facebookUrl",
    "instagram": "instagramUrl",
    "linkedin": "linkedinUrl",
    "twitter": "twitterUrl",
    "position": "jobTitle",
}
_KNOWN: Mapping[Known, str] = {
    Known.EMAIL: "email",
    Known.FIRST_NAME: "firstName",
    Known.LAST_NAME: "lastName",
    Known.COMPANY: "companyName",
    Known.PHONE: "phoneNumbers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What is written of a contact, by connect's names."""

    values: Mapping[str, Any] = field(repr=False)
    lead_status: str
    """The label that the contact itself names. Empty: none."""
    homeless: tuple[str, ...]
    """Names of what is known of the contact and for which connect has no field."""

    @property
    def email(self) -> str:
        """Empty: it has none."""
        return str(self.values.get("email", ""))

    def known(self, what: Known) -> Any:
        """Give what is written of a known field; of several phones the first. None: nothing."""
        value = self.values.get(_KNOWN.get(what, ""))
        return next(iter(value), None) if isinstance(value, list) else value

    @property
    def phones(self) -> Sequence[str]:
        """In E.164."""
        return tuple(self.values.get("phoneNumbers", ()))


def write_card(contact: Contact, field_map: Mapping[str, str]) -> Card:
    """Fill the fields: first as the map says, then by name. A source that is mapped to "" is left out."""
    values: dict[str, Any] = {}
    homeless: list[str] = []
    for source, target in field_map.items():
        _fill(values, field_named(target) or target, contact.value(source))
    mapped = {squash(source.rpartition(".")[2]) for source in field_map} | set(map(known, field_map)) - {None}
    for what, name in _KNOWN.items():
        if what not in mapped and what.value not in mapped:
            _fill(values, name, _phones(contact) if what is Known.PHONE else contact.text(what))
    lead_status = values.pop(LEAD_STATUS, "")
    for name, value in contact.others():
        if squash(name) in mapped:
            continue
        if squash(name) == squash(LEAD_STATUS):
            lead_status = lead_status or value
            continue
        target_field = _BY_NAME.get(squash(name))
        if target_field is None:
            homeless.append(name)
        else:
            _fill(values, target_field, value)
    homeless += [name for name in contact.further if name == "emails"]
    if contact.tags and Known.TAGS not in mapped:
        homeless.append(Known.TAGS.value)
    _name(values, contact)
    return Card(
        values=values, lead_status=lead_status if isinstance(lead_status, str) else "", homeless=tuple(homeless)
    )


def field_named(name: str) -> str:
    """Give connect's own name for a field, in whatever spelling it is given. Empty: it has none."""
    what = known(name)
    if squash(name) == squash(LEAD_STATUS):
        return LEAD_STATUS
    return _BY_NAME.get(squash(name)) or (_KNOWN.get(what, "") if what else "")


def is_same_person(one: Card, other: Mapping[str, Any]) -> bool:
    """Tell by the e-mail without its case; where ours has none, by a phone, and without that by the name."""
    if one.email:
        return one.email.casefold() == str(other.get("email") or "").strip().casefold()
    if one.phones:
        theirs = {digits(phone) for phone in phones_of(other)}
        return any(digits(phone) in theirs for phone in one.phones)
    names = ("firstName", "lastName")
    return all(str(one.values.get(name, "")) == str(other.get(name) or "") for name in names)


def differing(one: Card, other: Mapping[str, Any]) -> Sequence[str]:
    """Give the names of the fields in which what is there is not what would be written."""
    return [name for name, value in one.values.items() if name not in UNREADABLE and not _is_there(name, value, other)]


def phones_of(contact: Mapping[str, Any]) -> Sequence[str]:
    """Give the numbers of a contact, whether they came as a list, as objects or as a text."""
    numbers = contact.get("phoneNumbers") or ()
    each = [numbers] if isinstance(numbers, str | dict) else numbers if isinstance(numbers, list) else []
    return [str(one.get("number") or one.get("phone") or "") if isinstance(one, dict) else str(one) for one in each]


def digits(phone: str) -> str:
    """Return what is left of a number when its writing is taken away."""
    return "".join(character for character in phone if character in "0123456789")


def _is_there(name: str, value: Any, other: Mapping[str, Any]) -> bool:
    if name == "phoneNumbers":
        return {digits(phone) for phone in value} <= {digits(phone) for phone in phones_of(other)}
    if name == "email":
        return str(value).casefold() == str(other.get(name) or "").casefold()
    return bool(value == other.get(name))


def _phones(contact: Contact) -> list[str]:
    given = (contact.text(Known.PHONE), *contact.phones)
    return list(dict.fromkeys(phone for phone in given if phone))


def _name(values: dict[str, Any], contact: Contact) -> None:
    """A full name alone is a first name: nobody knows where it parts. Without an e-mail some name is demanded."""
    if not values.get("firstName") and not values.get("lastName"):
        _fill(values, "firstName", contact.text(Known.FULL_NAME))


def _fill(values: dict[str, Any], name: str, value: Any) -> None:
    if name == "phoneNumbers" and isinstance(value, str):
        value = [value]
    if name and value not in (None, "", []):
        values.setdefault(
            name, value.strip() if isinstance(value, str) else value if name == "phoneNumbers" else str(value)
        )

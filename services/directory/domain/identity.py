"""By what a contact is found: its ids in a source, phones, e-mails, then other external ids, in that order.

An external id that is a source's own is kept with the source before it. It identifies as such, and the bare id is
shared with every contact that has it, whatever the source: one can list and erase by it, and it leads nowhere.
"""

from collections.abc import Mapping
from itertools import chain
from typing import Final

from services.directory.domain.contact import Email, Identity, Phone

_PHONE, _EMAIL, _EXTERNAL_ID, _SCOPED_ID = "phone:", "email:", "id:", "src:"
SCOPE_END: Final = "\x1f"
"""Stands between a source and its id; no external id from outside may hold it."""
LEAD_SCOPE: Final = "@lead"
"""The source of the values of an identifier that is no phone; no source has this id."""


def phone_identity(number: str) -> Identity:
    """The number is in E.164."""
    return Identity(_PHONE + number)


def email_identity(address: str) -> Identity:
    """Whatever the case of the address."""
    return Identity(_EMAIL + address.casefold())


def external_identity(external_id: str) -> Identity:
    """The id as the other system writes it."""
    return Identity(_EXTERNAL_ID + external_id)


def scoped(source_id: str, external_id: str) -> str:
    """An external id as that source's own."""
    return f"{source_id}{SCOPE_END}{external_id}"


def bare(external_id: str) -> str:
    """The id as the other system writes it, without its source."""
    return external_id.rpartition(SCOPE_END)[2]


def is_lead_id(external_id: str) -> bool:
    """Whether it is the value of an identifier, and no other system's id."""
    return external_id.startswith(LEAD_SCOPE + SCOPE_END)


def is_from_source(external_id: str) -> bool:
    """Whether it is some source's own."""
    return SCOPE_END in external_id and not is_lead_id(external_id)


def scoped_identity(source_id: str, external_id: str) -> Identity:
    """The id as that source's own."""
    return Identity(_SCOPED_ID + scoped(source_id, external_id))


def is_shared_only(identity: Identity, external_ids: tuple[str, ...]) -> bool:
    """The bare id of one that is a source's own leads nowhere."""
    return identity.startswith(_EXTERNAL_ID) and identity[len(_EXTERNAL_ID) :] not in external_ids


def scopes_of(external_ids: tuple[str, ...]) -> dict[str, str]:
    """The ids that are a source's own, by source; of two of one source the first."""
    found: dict[str, str] = {}
    for each in external_ids:
        source, end, _ = each.rpartition(SCOPE_END)
        if end:
            found.setdefault(source, each)
    return found


def agree(scopes: Mapping[str, str], external_ids: tuple[str, ...]) -> bool:
    """Whether a contact with these external ids may be the one that is meant: it has no other id of those sources."""
    sources = {each.rpartition(SCOPE_END)[0] for each in external_ids if SCOPE_END in each}
    return all(source not in sources or own in external_ids for source, own in scopes.items())


def is_email(identity: Identity) -> bool:
    """An e-mail may be shared by people, which a phone is not taken to be."""
    return identity.startswith(_EMAIL)


def is_normalised(number: str) -> bool:
    """Only an E.164 number identifies; whatever else stands in a phone's place is kept as it came."""
    return number[:1] == "+"


def identities_of(
    phone: str, phones: tuple[Phone, ...], emails: tuple[Email, ...], external_ids: tuple[str, ...]
) -> tuple[Identity, ...]:
    """In the order of look-up, each once: ids of sources, main phone, further phones, e-mails, external ids."""
    main = (phone_identity(phone),) if is_normalised(phone) else ()
    if not (phones or emails or external_ids):
        return main
    further = (phone_identity(each.number) for each in phones if is_normalised(each.number))
    addresses = (email_identity(each.email) for each in emails)
    own = (Identity(_SCOPED_ID + each) for each in external_ids if SCOPE_END in each)
    foreign = (external_identity(bare(each)) for each in external_ids)
    return tuple(dict.fromkeys(chain(own, main, further, addresses, foreign)))

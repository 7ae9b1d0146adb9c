"""What writing one contact does to it and to the identities around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.directory.domain.applying import claim
from services.directory.domain.contact import Contact, ContactId, Details, Identity
from services.directory.domain.delivery import Claim
from services.directory.domain.leads import Turn


@dataclass(frozen=True, slots=True)
class Rewriting:
    """A contact as it becomes, with the identities that it takes and those that it gives up."""

    contact: Contact = field(repr=False)
    claims: tuple[Claim, ...]
    dropped: tuple[Identity, ...] = ()


def admit(details: Details, owners: Mapping[Identity, ContactId], *, contact_id: ContactId, turn: Turn) -> Rewriting:
    """A new contact, whoever has its identities."""
    contact = Contact(contact_id, 1, turn.at, turn.at, details, turn.number)
    known = dict(owners)
    return Rewriting(contact, tuple(claim(identity, contact, known) for identity in details.identities))


def rewritten(contact: Contact, details: Details, owners: Mapping[Identity, ContactId], *, turn: Turn) -> Rewriting:
    """The contact with other details. An identity that it gives up is free, until somebody claims it."""
    changed = contact._replace(version=contact.version + 1, changed_at=turn.at, details=details)
    before, after, known = set(contact.details.identities), set(details.identities), dict(owners)
    claims = tuple(claim(identity, changed, known) for identity in details.identities if identity not in before)
    return Rewriting(changed, claims, tuple(each for each in contact.details.identities if each not in after))

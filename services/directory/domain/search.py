"""Which contacts a listing asks for."""

import unicodedata
from dataclasses import dataclass, field

from services.directory.domain.contact import Details, Identity
from services.directory.domain.identity import email_identity, external_identity, phone_identity


def search_key(details: Details) -> str:
    """What a text query looks into: first name, last name, company and e-mails, folded."""
    addresses = (email.email for email in details.emails)
    texts = filter(None, (details.first_name, details.last_name, details.company, *addresses))
    return fold("\n".join(texts))


def fold(text: str) -> str:
    """Texts that differ in case only, or in how an accent is composed, fold to the same."""
    return unicodedata.normalize("NFC", text).casefold() if text else ""


@dataclass(frozen=True, slots=True)
class Filter:
    """All that is given must match."""

    identities: tuple[Identity, ...] = field(default=(), repr=False)
    text: str = field(default="", repr=False)
    """Folded; a contact's search key contains it. Empty: any."""

    def matches(self, details: Details) -> bool:
        """The rule that a store's query follows."""
        return set(self.identities) <= set(details.identities) and self.text in search_key(details)


def filter_of(*, phone: str, email: str, external_id: str, query: str) -> Filter:
    """Empty values ask for nothing; neither does a query of spaces."""
    asked = (
        (phone, phone_identity),
        (email, email_identity),
        (external_id, external_identity),
    )
    identities = tuple(identity(value) for value, identity in asked if value)
    return Filter(identities, fold(query.strip()))

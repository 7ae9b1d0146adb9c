"""The email-validator library behind the port, asked once for each domain of plain addresses."""

import re
from functools import cache, lru_cache
from types import ModuleType

from services.normalization.domain import LONGEST_EMAIL, Email, Refusal, RefusedEmail

_ATOM = r"[a-zA-Z0-9_!#$%&'*+\-/=?^`{|}~]+"
# Parts that the library judges each by itself, and both too short for its rule on their sum. An international domain in
# ASCII is longer in its own script, so it is left to the library.
_PLAIN = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@([a-zA-Z0-9.-]{{1,64}})")
_INTERNATIONAL = "xn--"
_LONGEST_LOCAL = 64


class LibraryEmails:
    """Asks email-validator for the syntax alone.

    The domain comes back in lower case and in its own script, the local part as given but for Unicode's composed form
    (NFC) and the role names that RFC 2142 calls caseless (info, sales ...). Names that no mail can reach from elsewhere
    (localhost, .local, .invalid) are refused; .test, which is kept for trying things out, is not.
    """

    def check(self, text: str) -> Email | RefusedEmail:
        """Judge the text without its surrounding white space."""
        stripped = text.strip()
        if not stripped:
            return RefusedEmail(Refusal.EMPTY)
        if len(text) > LONGEST_EMAIL:
            return RefusedEmail(Refusal.TOO_LONG)
        plain = _PLAIN.fullmatch(stripped)
        if plain is None:
            return _ask(stripped)
        local, name = plain.groups()
        if len(local) > _LONGEST_LOCAL or _INTERNATIONAL in name.lower():
            return _ask(stripped)
        domain = _domain(name)
        return Email(f"{_local(local)}@{domain}") if domain else RefusedEmail(Refusal.NOT_AN_EMAIL)


def _ask(address: str) -> Email | RefusedEmail:
    library = _library()
    try:
        checked = library.validate_email(address, check_deliverability=False, test_environment=True)
    except library.EmailNotValidError:
        return RefusedEmail(Refusal.NOT_AN_EMAIL)
    return Email(checked.normalized)


@lru_cache(maxsize=4096)
def _domain(name: str) -> str:
    """Give the domain as the library writes it. Empty: it is none."""
    checked = _ask(f"a@{name}")
    return checked.address[2:] if isinstance(checked, Email) else ""


def _local(part: str) -> str:
    folded = part.lower()
    return folded if folded in _caseless() else part


@cache
def _caseless() -> frozenset[str]:
    return frozenset(_library().rfc_constants.CASE_INSENSITIVE_MAILBOX_NAMES)


@cache
def _library() -> ModuleType:
    import email_validator  # noqa: PLC0415 - a tenth of the service's start, and most imports hold no e-mail

    return email_validator

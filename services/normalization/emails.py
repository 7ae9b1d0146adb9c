"""The email-validator library behind the port."""

from functools import cache
from types import ModuleType

from services.normalization.domain import LONGEST_EMAIL, Email, Refusal, RefusedEmail


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
        library = _library()
        try:
            checked = library.validate_email(stripped, check_deliverability=False, test_environment=True)
        except library.EmailNotValidError:
            return RefusedEmail(Refusal.NOT_AN_EMAIL)
        return Email(checked.normalized)


@cache
def _library() -> ModuleType:
    import email_validator  # noqa: PLC0415 - a tenth of the service's start, and most imports hold no e-mail

    return email_validator

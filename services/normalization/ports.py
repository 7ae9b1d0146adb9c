"""What the handler needs of the libraries that know phones and e-mails."""

from typing import Protocol

from services.normalization.domain import Email, Phone, RefusedEmail, RefusedPhone


class PhoneParser(Protocol):
    """Reads one text as one phone number: the whole text, or nothing.

    Every adapter gives the same answer to the same text; tests/conformance holds them against each other.
    """

    @property
    def metadata_version(self) -> str:
        """Version of the numbering plans, for example 9.0.43."""

    def parse(self, text: str, default_region: str) -> Phone | RefusedPhone:
        """Read a national number as one of the default region, ISO 3166-1 alpha-2 in upper case. Never raises."""

    def knows(self, region: str) -> bool:
        """Whether the region has a numbering plan."""


class EmailChecker(Protocol):
    """Reads one text as one e-mail address."""

    def check(self, text: str) -> Email | RefusedEmail:
        """Judge the syntax alone; nothing is looked up. Never raises."""

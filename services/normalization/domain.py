"""What a text can come to: a phone in E.164, a checked e-mail, or a refusal with a reason.

Results are named tuples and not frozen dataclasses: one is made per phone, and a frozen dataclass costs three times as
much to make, which here is a third of the whole work.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, unique
from typing import Final, NamedTuple

LONGEST_PHONE: Final = 256
"""Characters of a phone as given; a longer text is refused without being read."""
LONGEST_EMAIL: Final = 320
"""Characters of an e-mail as given; a longer text is refused without being read."""
NON_GEOGRAPHIC: Final = "001"
"""The region of numbers that belong to no country, for example +800 (UN M.49: the world)."""


@unique
class DecidedBy(IntEnum):
    """How a phone's country was decided; the numbers are those of the contract."""

    PLUS = 1
    INTERNATIONAL_PREFIX = 2
    COUNTRY_CODE = 3
    DEFAULT_REGION = 4


@unique
class Refusal(IntEnum):
    """Why a text is not a phone or an e-mail; the numbers are those of the contract."""

    EMPTY = 1
    NOT_A_NUMBER = 2
    TOO_SHORT = 3
    TOO_LONG = 4
    INVALID_FOR_REGION = 5
    UNKNOWN_COUNTRY_CODE = 6
    EXTENSION_NOT_SUPPORTED = 7
    NOT_AN_EMAIL = 8


class Phone(NamedTuple):
    """A valid phone number."""

    e164: str
    region: str  # ISO 3166-1 alpha-2, or NON_GEOGRAPHIC
    decided_by: DecidedBy


class RefusedPhone(NamedTuple):
    """A text that is no phone number we can keep."""

    refusal: Refusal
    decided_by: DecidedBy | None = None  # None: refused before its country was decided


class Email(NamedTuple):
    """A well-formed e-mail address with its domain in lower case."""

    address: str


class RefusedEmail(NamedTuple):
    """A text that is no e-mail address."""

    refusal: Refusal


@dataclass(slots=True)
class PhoneColumns:
    """What phones came to, as columns in the order asked: refused ones have empty texts, 0 stands for no value."""

    e164: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    decided_by: bytearray = field(default_factory=bytearray)
    refusals: bytearray = field(default_factory=bytearray)

    def extend(self, results: Iterable[Phone | RefusedPhone]) -> None:
        """Add results in order."""
        for result in results:
            if isinstance(result, Phone):
                e164, region, decided_by = result
                self.e164.append(e164)
                self.regions.append(region)
                self.decided_by.append(decided_by)
                self.refusals.append(0)
            else:
                self.e164.append("")
                self.regions.append("")
                self.decided_by.append(result.decided_by or 0)
                self.refusals.append(result.refusal)


@dataclass(slots=True)
class EmailColumns:
    """What e-mails came to, as columns in the order asked."""

    addresses: list[str] = field(default_factory=list)
    refusals: bytearray = field(default_factory=bytearray)

    def extend(self, results: Iterable[Email | RefusedEmail]) -> None:
        """Add results in order."""
        for result in results:
            if isinstance(result, Email):
                self.addresses.append(result.address)
                self.refusals.append(0)
            else:
                self.addresses.append("")
                self.refusals.append(result.refusal)


PHONE_SENTENCES: Final = {
    Refusal.EMPTY: "Invalid phone number: empty",
    Refusal.NOT_A_NUMBER: "Invalid phone number",
    Refusal.TOO_SHORT: "Invalid phone number: too short",
    Refusal.TOO_LONG: "Invalid phone number: too long",
    Refusal.INVALID_FOR_REGION: "Invalid phone number: no such number in its region",
    Refusal.UNKNOWN_COUNTRY_CODE: "Invalid phone number: unknown country code",
    Refusal.EXTENSION_NOT_SUPPORTED: "Invalid phone number: extensions are not supported",
}
"""What a refusal of a phone says to people."""

EMAIL_SENTENCES: Final = {
    Refusal.EMPTY: "Invalid e-mail address: empty",
    Refusal.TOO_LONG: "Invalid e-mail address: too long",
    Refusal.NOT_AN_EMAIL: "Invalid e-mail address",
}
"""What a refusal of an e-mail says to people."""

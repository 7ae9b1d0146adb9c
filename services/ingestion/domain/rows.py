"""The rows of one import in columns, before and after normalisation: one place per row, in the order they came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple


class Further(NamedTuple):
    """What else may identify a row, in the caller's order. Two are made per row: a dataclass costs thrice."""

    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What the rows are identified by, as given.

    phones holds the main phone of each row, empty when it has none; further only the rows that have more than a phone.
    phone_required: a row without a valid main phone is rejected, whatever else it has.
    """

    phones: Sequence[str]
    further: Mapping[int, Further] = field(default_factory=dict)
    phone_required: bool = True

    @property
    def main_phones(self) -> int:
        """How many of the phones are to be normalised beside further ones: all, or none where all are empty."""
        return len(self.phones) if any(self.phones) else 0


@dataclass(frozen=True, slots=True)
class Texts:
    """What is to be normalised: the main phones, then the further phones row by row; the e-mails row by row."""

    phones: Sequence[str]
    emails: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalized:
    """What the texts came to, in columns of the same length. Empty text or a byte other than 0: refused."""

    e164: Sequence[str]
    regions: Sequence[str]
    decided_by: bytes
    phone_refusals: bytes
    emails: Sequence[str] = ()
    email_refusals: bytes = b""
    metadata_version: str = ""


class DecidedBy(IntEnum):
    """How a phone's country was decided; numbers of contactsync.normalization.v1.DecidedBy."""

    NONE = 0
    PLUS = 1
    INTERNATIONAL_PREFIX = 2
    COUNTRY_CODE = 3
    DEFAULT_REGION = 4


class Fault(IntEnum):
    """Why a text was refused; numbers of contactsync.normalization.v1.Refusal."""

    NONE = 0
    EMPTY = 1
    NOT_A_NUMBER = 2
    TOO_SHORT = 3
    TOO_LONG = 4
    INVALID_FOR_REGION = 5
    UNKNOWN_COUNTRY_CODE = 6
    EXTENSION_NOT_SUPPORTED = 7
    NOT_AN_EMAIL = 8


_FAULTS, _DECISIONS = frozenset(Fault), frozenset(DecidedBy)

PHONE_SENTENCES = {
    Fault.EMPTY: "Invalid phone number: empty",
    Fault.NOT_A_NUMBER: "Invalid phone number",
    Fault.TOO_SHORT: "Invalid phone number: too short",
    Fault.TOO_LONG: "Invalid phone number: too long",
    Fault.INVALID_FOR_REGION: "Invalid phone number: no such number in its region",
    Fault.UNKNOWN_COUNTRY_CODE: "Invalid phone number: unknown country code",
    Fault.EXTENSION_NOT_SUPPORTED: "Invalid phone number: extensions are not supported",
}
EMAIL_SENTENCES = {
    Fault.EMPTY: "Invalid e-mail address: empty",
    Fault.TOO_LONG: "Invalid e-mail address: too long",
    Fault.NOT_AN_EMAIL: "Invalid e-mail address",
}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a row is not delivered.

    path is the JSON Pointer of the fault below the row, empty for the row itself; code is lower_snake_case.
    """

    path: str
    code: str
    message: str


SUPERSEDED = Rejection("", "superseded", "A later row of the import has the same identity")
NO_IDENTITY = Rejection("", "no_identity", "A contact needs a phone, an e-mail or an external id")


def rejection(path: str, fault: int) -> Rejection:
    """The rejection for a fault of the text at this path."""
    sentences, otherwise = PHONE_SENTENCES, "Invalid phone number"
    if path.startswith("/emails"):
        sentences, otherwise = EMAIL_SENTENCES, "Invalid e-mail address"
    known = Fault(fault) if fault in _FAULTS else Fault.NONE
    return Rejection(path, fault_code(fault), sentences.get(known, otherwise))


def fault_code(fault: int) -> str:
    """The fault in lower_snake_case; ``invalid`` for one that only a newer normalization knows."""
    return Fault(fault).name.lower() if fault in _FAULTS else "invalid"


def decision_name(decided_by: int) -> str:
    """How a country was decided, in lower_snake_case; empty where it was not, and for a way that is not known here."""
    return DecidedBy(decided_by).name.lower() if decided_by and decided_by in _DECISIONS else ""


def texts(columns: Columns) -> Texts:
    """What is to be normalised for these rows: no main phones where no row has one, as in what a source gives."""
    if not columns.further:
        return Texts(columns.phones)
    further = [columns.further[row] for row in sorted(columns.further)]
    return Texts(
        [*columns.phones[: columns.main_phones], *(phone for row in further for phone in row.phones)],
        [email for row in further for email in row.emails],
    )

"""The phonenumbers library behind the port: exact, complete, and some 35 µs a phone."""

from typing import Final

import phonenumbers
from phonenumbers import CountryCodeSource, NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from services.normalization.domain import LONGEST_PHONE, DecidedBy, Phone, Refusal, RefusedPhone
from services.normalization.phones.spelling import Form, Spelling, ascii_digits, is_international, read, strip

_DECIDED_BY: Final = {
    CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN: DecidedBy.PLUS,
    CountryCodeSource.FROM_NUMBER_WITH_IDD: DecidedBy.INTERNATIONAL_PREFIX,
    CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN: DecidedBy.COUNTRY_CODE,
    CountryCodeSource.FROM_DEFAULT_COUNTRY: DecidedBy.DEFAULT_REGION,
}
_UNREADABLE: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: Refusal.UNKNOWN_COUNTRY_CODE,
    NumberParseException.NOT_A_NUMBER: Refusal.NOT_A_NUMBER,
    NumberParseException.TOO_SHORT_AFTER_IDD: Refusal.TOO_SHORT,
    NumberParseException.TOO_SHORT_NSN: Refusal.TOO_SHORT,
    NumberParseException.TOO_LONG: Refusal.TOO_LONG,
}
_INVALID: Final = {
    ValidationResult.IS_POSSIBLE: Refusal.INVALID_FOR_REGION,
    ValidationResult.INVALID_LENGTH: Refusal.INVALID_FOR_REGION,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: Refusal.TOO_SHORT,  # without its area code
    ValidationResult.TOO_SHORT: Refusal.TOO_SHORT,
    ValidationResult.TOO_LONG: Refusal.TOO_LONG,
    ValidationResult.INVALID_COUNTRY_CODE: Refusal.UNKNOWN_COUNTRY_CODE,
}
_FEWEST_DIGITS: Final = 3


class LibraryPhones:
    """Asks phonenumbers, and holds it to the whole text."""

    @property
    def metadata_version(self) -> str:
        """The library's release, which carries its metadata."""
        return phonenumbers.__version__

    def knows(self, region: str) -> bool:
        """Whether the library has a plan for the region."""
        return region in phonenumbers.SUPPORTED_REGIONS

    def parse(self, text: str, default_region: str) -> Phone | RefusedPhone:
        """Read the whole text as one number; under an unknown region, only international ones."""
        stripped = strip(text)
        if not stripped:
            return RefusedPhone(Refusal.EMPTY)
        if len(text) > LONGEST_PHONE:
            return RefusedPhone(Refusal.TOO_LONG)
        spelling = read(stripped)
        if spelling is None:
            return RefusedPhone(Refusal.NOT_A_NUMBER)
        result = _parse(spelling, default_region)
        if isinstance(result, Phone):
            return result
        return _parse_international(spelling) or result


def _parse(spelling: Spelling, default_region: str | None) -> Phone | RefusedPhone:
    try:
        number = phonenumbers.parse(spelling.text, default_region, keep_raw_input=True)
    except NumberParseException as error:
        return RefusedPhone(_unreadable(spelling, error))
    return _judge(spelling, number)


def _parse_international(spelling: Spelling) -> Phone | None:
    """Read 00 as a plus where the default region dials another prefix (810 in Russia), if that makes a valid number.

    00 is what E.164 recommends and what people type; it is tried last, so it changes no reading that was valid.
    """
    digits = ascii_digits(spelling.text)
    if spelling.form is not Form.PLAIN or is_international(spelling.text) or not digits.startswith("00"):
        return None
    result = _parse(spelling._replace(text=f"+{digits[2:]}"), None)
    if not isinstance(result, Phone):
        return None
    return result._replace(decided_by=DecidedBy.INTERNATIONAL_PREFIX)


def _unreadable(spelling: Spelling, error: NumberParseException) -> Refusal:
    if spelling.form is Form.LABELLED:  # whether the label marks an extension cannot be told any more
        return Refusal.NOT_A_NUMBER
    digits = ascii_digits(spelling.text)
    if error.error_type == NumberParseException.NOT_A_NUMBER and 0 < len(digits) < _FEWEST_DIGITS:
        return Refusal.TOO_SHORT
    return _UNREADABLE[error.error_type]


def _judge(spelling: Spelling, number: PhoneNumber) -> Phone | RefusedPhone:
    extension = number.extension or ""
    if spelling.form is Form.LABELLED and extension != spelling.extension:
        return RefusedPhone(Refusal.NOT_A_NUMBER)
    decided_by = _DECIDED_BY[number.country_code_source]
    region = phonenumbers.region_code_for_number(number)
    if region is None or not phonenumbers.is_valid_number_for_region(number, region):
        return RefusedPhone(_INVALID[phonenumbers.is_possible_number_with_reason(number)], decided_by)
    if extension or spelling.form is Form.EXTENDED:
        return RefusedPhone(Refusal.EXTENSION_NOT_SUPPORTED, decided_by)
    return Phone(phonenumbers.format_number(number, PhoneNumberFormat.E164), region, decided_by)

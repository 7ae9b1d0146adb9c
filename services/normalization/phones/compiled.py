"""The fast path: the library's decisions on compiled plans, for the spellings that nine in ten phones have.

It answers only what it can answer exactly; everything else goes to the library. Held against the library by
tests/unit/normalization/test_phone_equality.py on every run, and on two million texts on demand.
"""

import re
from collections.abc import Callable
from typing import Final

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS

from services.normalization.domain import DecidedBy, Phone, Refusal, RefusedPhone
from services.normalization.phones.plans import Country, Plan, compile_country, compile_plan, country_code_at
from services.normalization.ports import PhoneParser

# Within these characters the library's search for a number, an extension, letters and other scripts' digits has nothing
# to find: it only drops punctuation. No / x # ; , ~ * and no tab may ever be added.
_GATE: Final = re.compile(r"[ (]{0,3}(\+?)([0-9][0-9 ().\-]{2,30})").fullmatch
_PUNCTUATION: Final = str.maketrans("", "", " ().-")
_FEWEST_DIGITS: Final = 3  # of what is written, and of what follows an international prefix
_FEWEST_NATIONAL_DIGITS: Final = 2
_MOST_NATIONAL_DIGITS: Final = 17
_LAST_RESORT: Final = "00"  # what the library's adapter reads as a plus when nothing else makes a valid number
_COUNTRY_CODES: Final = frozenset(COUNTRY_CODE_TO_REGION_CODE)
_MOST_BARE_DIGITS: Final = 31
# A look into an enum costs as much as a small match.
_PLUS, _INTERNATIONAL_PREFIX, _COUNTRY_CODE, _DEFAULT_REGION = DecidedBy
_EMPTY: Final = RefusedPhone(Refusal.EMPTY)


class CompiledPhones:
    """Answers like the library in a tenth of its time; what it cannot answer exactly, it asks the library."""

    def __init__(self, library: PhoneParser, compile_region: Callable[[str], Plan | None] = compile_plan) -> None:
        self._library = library
        self._compile_region = compile_region
        self._plans: dict[str, Plan | None] = {}
        self._countries: dict[str, Country | None] = {}  # by the first three digits of an international number

    @property
    def metadata_version(self) -> str:
        """The library's: the plans are compiled from its metadata."""
        return self._library.metadata_version

    def knows(self, region: str) -> bool:
        """What the library knows."""
        return self._library.knows(region)

    def parse(self, text: str, default_region: str) -> Phone | RefusedPhone:
        """The fast path's answer where it has one, the library's otherwise."""
        return self.answer(text, default_region) or self._library.parse(text, default_region) if text else _EMPTY

    def answer(self, text: str, default_region: str) -> Phone | RefusedPhone | None:
        """The fast path alone. None: this text is for the library."""
        if text[:1] == "+" and (bare := text[1:]).isdecimal() and bare.isascii() and len(bare) <= _MOST_BARE_DIGITS:
            return self._international(bare, _PLUS)  # what the gate would say, in a third of its time
        gate = _GATE(text)
        if gate is None:
            return None
        plus, written = gate.groups()
        digits = written if written.isdecimal() else written.translate(_PUNCTUATION)
        if len(digits) < _FEWEST_DIGITS:
            return None
        if plus:
            return self._international(digits, _PLUS)
        plan = self._plan(default_region)
        return None if plan is None else self._domestic(digits, plan)

    def _domestic(self, digits: str, plan: Plan) -> Phone | RefusedPhone | None:
        """What was written without a plus: with an international prefix, with the own country code, or national."""
        prefix = plan.international_prefix
        # No country code begins with 0, so a prefix before a 0 is none (_parse_prefix_as_idd).
        if prefix is not None and (match := prefix(digits)) and not digits.startswith("0", match.end()):
            result = self._international(digits[match.end() :], _INTERNATIONAL_PREFIX)
            return None if digits.startswith(_LAST_RESORT) and isinstance(result, RefusedPhone) else result
        country = self._country(plan.country_code)
        if country is None or digits.startswith(_LAST_RESORT):
            return None
        rest = plan.without_country_code(digits)
        if rest is not None:
            return _judge(rest, country.main, country, _COUNTRY_CODE)
        return _judge(digits, plan, country, _DEFAULT_REGION)

    def _international(self, digits: str, decided_by: DecidedBy) -> Phone | RefusedPhone | None:
        if len(digits) < _FEWEST_DIGITS:
            return None
        country = self._country(digits[:3])
        if country is None:
            return None
        return _judge(digits[len(country.code) :], country.main, country, decided_by)

    def _country(self, start: str) -> Country | None:
        """The country whose code the digits start with; None: no country, which the library may yet read otherwise."""
        try:
            return self._countries[start]
        except KeyError:
            code = country_code_at(start, _COUNTRY_CODES)
            country = None if code is None else compile_country(code, self._plan)
            self._countries[start] = country
            return country

    def _plan(self, region: str) -> Plan | None:
        try:
            return self._plans[region]
        except KeyError:
            if region not in SUPPORTED_REGIONS:  # not kept: there is no end of what is no region
                return None
            plan = self._plans[region] = self._compile_region(region)
            return plan


def _judge(number: str, plan: Plan, country: Country, decided_by: DecidedBy) -> Phone | RefusedPhone | None:
    """Take the national prefix off and ask the country's plans in order; None: the library raises here."""
    if len(number) < _FEWEST_NATIONAL_DIGITS:
        return None
    rest = plan.without_national_prefix(number)
    if plan.complete[len(rest)]:
        number = rest
    length = len(number)
    if not _FEWEST_NATIONAL_DIGITS <= length <= _MOST_NATIONAL_DIGITS:
        return None
    for candidate in country.plans:
        if candidate.leading and not candidate.leading(number):
            continue
        valid = candidate.valid[length]
        if valid and valid(number):
            return Phone(f"+{country.code}{number}", candidate.region, decided_by)
        if candidate.leading:
            break
    return RefusedPhone(country.main.refusals[length], decided_by)

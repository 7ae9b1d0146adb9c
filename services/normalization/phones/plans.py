"""Numbering plans compiled from the library's own metadata, region by region, when first asked for.

Nothing here is a rule about any country: every decision is a pattern or a length that the metadata holds, so a new
release of phonenumbers needs no change here. Each step names the step of phonenumberutil that it stands for.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from phonenumbers import PhoneMetadata, region_codes_for_country_code
from phonenumbers.phonemetadata import PhoneNumberDesc

from services.normalization.domain import NON_GEOGRAPHIC, Refusal

MOST_DIGITS: Final = 31
"""Digits that a text through the gate can hold: one, and 30 more."""
_LONGEST_COUNTRY_CODE: Final = 3

Matcher = Callable[[str], re.Match[str] | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """One region's numbering plan. Tables are indexed by the number of digits."""

    region: str
    country_code: str
    international_prefix: Matcher | None
    national_prefix: Matcher | None
    transform: str  # empty: the national prefix is just taken off
    general: Matcher
    valid: tuple[Matcher | None, ...]  # None: no number of the region has that many digits
    leading: Matcher | None  # tells the region among those that share its code; None: its valid numbers tell
    too_long: tuple[bool, ...]
    complete: tuple[bool, ...]  # neither too short, nor local, nor between two lengths
    refusals: tuple[Refusal, ...]  # what to say of an invalid number

    def without_national_prefix(self, number: str) -> str:
        """Stand for _maybe_strip_national_prefix_carrier_code."""
        prefix = self.national_prefix
        if prefix is None or not number or (match := prefix(number)) is None:
            return number
        if self.transform and match.group(match.re.groups) is not None:
            rest = match.expand(self.transform) + number[match.end() :]
        else:
            rest = number[match.end() :]
        if not self.general(rest) and self.general(number):
            return number
        return rest

    def without_country_code(self, number: str) -> str | None:
        """Stand for the last part of _maybe_extract_country_code; None: it does not start with the own country code."""
        if not number.startswith(self.country_code):
            return None
        rest = self.without_national_prefix(number[len(self.country_code) :])
        if self.too_long[len(number)] or (self.general(rest) and not self.general(number)):
            return rest
        return None


@dataclass(frozen=True, slots=True)
class Country:
    """The plans that share a country code, in the library's order; the first is the main one."""

    code: str
    plans: tuple[Plan, ...]

    @property
    def main(self) -> Plan:
        """The plan by which numbers of this country code are taken apart."""
        return self.plans[0]


def compile_country(code: int, plan_of: Callable[[str], Plan | None]) -> Country:
    """Compile the plans of a country code that the library knows."""
    regions = region_codes_for_country_code(code)
    if regions == (NON_GEOGRAPHIC,):
        metadata = PhoneMetadata.metadata_for_nongeo_region(code)
        assert metadata is not None
        return Country(str(code), (_compile(metadata, NON_GEOGRAPHIC),))
    plans = tuple(plan for region in regions if (plan := plan_of(region)) is not None)
    return Country(str(code), plans)


def compile_plan(region: str) -> Plan | None:
    """Compile a region's plan; None when the library has none for it."""
    metadata = PhoneMetadata.metadata_for_region(region)
    return None if metadata is None else _compile(metadata, region)


def country_code_at(digits: str, known: frozenset[int]) -> int | None:
    """Stand for _extract_country_code: the shortest known country code that the digits start with."""
    if digits.startswith("0"):
        return None
    widths = range(1, _LONGEST_COUNTRY_CODE + 1)
    return next((code for width in widths if (code := int(digits[:width])) in known), None)


def _compile(metadata: PhoneMetadata, region: str) -> Plan:
    general = metadata.general_desc
    assert general is not None
    assert general.national_number_pattern is not None
    lengths = range(MOST_DIGITS + 1)
    return Plan(
        region=region,
        country_code=str(metadata.country_code),
        international_prefix=_matcher(metadata.international_prefix),
        national_prefix=_matcher(metadata.national_prefix_for_parsing or None),
        transform=metadata.national_prefix_transform_rule or "",
        general=re.compile(general.national_number_pattern).fullmatch,
        valid=tuple(_valid(metadata, general, length) for length in lengths),
        leading=_matcher(metadata.leading_digits) if _shares_its_code(metadata) else None,
        too_long=tuple(_refusal(general, length) is Refusal.TOO_LONG for length in lengths),
        complete=tuple(_is_complete(general, length) for length in lengths),
        refusals=tuple(_refusal(general, length) for length in lengths),
    )


def _shares_its_code(metadata: PhoneMetadata) -> bool:
    """Stand for region_code_for_number, which asks no further where a code has one region alone."""
    return len(region_codes_for_country_code(metadata.country_code or 0)) > 1


def _matcher(pattern: str | None) -> Matcher | None:
    return None if pattern is None else re.compile(pattern).match


def _valid(metadata: PhoneMetadata, general: PhoneNumberDesc, length: int) -> Matcher | None:
    """Stand for _number_type_helper: one match for all types that may have this length."""
    patterns = [pattern for desc in _types(metadata) if (pattern := _pattern(desc, length))]
    whole = _pattern(general, length)
    if not whole or not patterns:
        return None
    return re.compile(rf"(?=(?:{whole})\Z)(?:{'|'.join(dict.fromkeys(patterns))})").fullmatch


def _pattern(desc: PhoneNumberDesc | None, length: int) -> str | None:
    """Stand for _is_number_matching_desc: no lengths given means any."""
    if desc is None or (desc.possible_length and length not in desc.possible_length):
        return None
    return desc.national_number_pattern


def _types(metadata: PhoneMetadata) -> Iterator[PhoneNumberDesc | None]:
    yield from (metadata.premium_rate, metadata.toll_free, metadata.shared_cost, metadata.voip)
    yield from (metadata.personal_number, metadata.pager, metadata.uan, metadata.voicemail, metadata.fixed_line)
    if not metadata.same_mobile_and_fixed_line_pattern:
        yield metadata.mobile


def _refusal(general: PhoneNumberDesc, length: int) -> Refusal:
    """Stand for _test_number_length, and say what an invalid number of that length is."""
    if length in general.possible_length_local_only or length < general.possible_length[0]:
        return Refusal.TOO_SHORT
    return Refusal.TOO_LONG if length > general.possible_length[-1] else Refusal.INVALID_FOR_REGION


def _is_complete(general: PhoneNumberDesc, length: int) -> bool:
    """Stand for the check in parse: with fewer digits, or a number of digits no number has, the prefix stays on."""
    if length in general.possible_length_local_only:
        return False
    return length in general.possible_length or length > general.possible_length[-1]

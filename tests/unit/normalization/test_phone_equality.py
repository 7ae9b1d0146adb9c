"""The fast path says what the library says: on hostile texts of all regions, from a seed that a failure names."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import phonenumbers
import pytest

from services.normalization.domain import Phone
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.phones.plans import Plan, compile_plan
from tests.unit.normalization.phone_texts import PhoneTexts, load_texts

SEED = int(os.environ.get("CONTACTSYNC_TEST_SEED", "20240229"))


class Comparison(NamedTuple):
    total: int
    fast: int
    valid: int
    differences: list[str]


def compare(compiled: CompiledPhones, texts: Iterator[tuple[str, str]]) -> Comparison:
    library = LibraryPhones()
    total = fast = valid = 0
    differences = []
    for text, region in texts:
        expected, answer = library.parse(text, region), compiled.answer(text, region)
        total += 1
        fast += answer is not None
        valid += isinstance(expected, Phone)
        if answer is not None and (answer != expected or type(answer) is not type(expected)):
            differences.append(f"{text!r} in {region}: {expected} but {answer}")
    return Comparison(total, fast, valid, differences)


def test_the_fast_path_equals_the_library() -> None:
    compiled = CompiledPhones(LibraryPhones())

    comparison = compare(compiled, PhoneTexts(SEED).draw(20_000))

    assert comparison.differences == []
    assert comparison.fast > 0.5 * comparison.total
    assert comparison.valid > 0.3 * comparison.total


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_fast_path_equals_the_library_on_two_million_texts() -> None:
    compiled = CompiledPhones(LibraryPhones())

    comparison = compare(compiled, PhoneTexts(SEED + 1).draw(2_000_000))

    print(comparison)  # noqa: T201 - the figures are the point of the long run
    assert comparison.differences == []


def without_transform(region: str) -> Plan | None:
    plan = compile_plan(region)
    return plan and replace(plan, transform="")


def test_a_broken_rule_is_found() -> None:
    compiled = CompiledPhones(LibraryPhones(), compile_region=without_transform)

    comparison = compare(compiled, PhoneTexts(SEED).draw(20_000))

    assert comparison.differences


def test_phones_of_an_import_take_the_fast_path() -> None:
    compiled = CompiledPhones(LibraryPhones())
    texts = load_texts(2_000, SEED)

    fast = sum(compiled.answer(text, "RU") is not None for text in texts)

    assert fast > 0.97 * len(texts)


def test_what_is_accepted_is_what_phonenumbers_makes_of_it() -> None:
    compiled = CompiledPhones(LibraryPhones())
    for text, region in PhoneTexts(SEED + 2).draw(4_000):
        phone = compiled.parse(text, region)
        if not isinstance(phone, Phone):
            continue
        number = phonenumbers.parse(phone.e164)

        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.region_code_for_number(number) == phone.region


def test_plans_are_compiled_when_first_asked_for() -> None:
    asked: list[str] = []

    def compile_region(region: str) -> Plan | None:
        asked.append(region)
        return compile_plan(region)

    compiled = CompiledPhones(LibraryPhones(), compile_region=compile_region)
    assert asked == []

    compiled.parse("+7 900 123-45-67", "RU")
    compiled.parse("8 900 123-45-67", "RU")

    assert asked == ["RU", "KZ"]

"""The sample is what its script makes, and our normaliser finds in it what the script put there."""

from collections import Counter

import phonenumbers

from libs.cli.sample import CONTACTS_FILE, EXPECTED_FILE, make, read_expected, read_sample
from services.normalization.domain import Phone
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones


def test_the_files_are_what_the_script_makes() -> None:
    contacts, expected = make.render(make.make())

    again = "stale: run python -m libs.cli.sample.make"
    assert contacts == CONTACTS_FILE.read_bytes(), again
    assert expected == EXPECTED_FILE.read_bytes(), again


def test_our_normaliser_finds_what_the_script_put_in() -> None:
    expected, phones = read_expected(), CompiledPhones(LibraryPhones())

    results = [phones.parse(contact["phone"], expected["default_region"]) for contact in read_sample()]

    valid = [result.e164 for result in results if isinstance(result, Phone)]
    refusals = Counter(result.refusal.name for result in results if not isinstance(result, Phone))
    assert (len(results), len(valid), len(set(valid))) == (expected["total"], expected["valid"], expected["unique"])
    assert refusals == expected["refusals"]


def test_every_spelling_means_its_number_to_the_library() -> None:
    for example in make.examples():
        for text in make.spellings(example.number):
            number = phonenumbers.parse(text, "RU")

            assert phonenumbers.is_valid_number(number)
            assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == example.e164


def test_the_sample_is_of_the_whole_world_and_of_some_size() -> None:
    expected, contacts = read_expected(), read_sample()

    regions = {contact["additionalFields"]["region"] for contact in contacts}

    assert expected["total"] == len(contacts) >= 2_000
    assert expected["invalid"] >= 50
    assert len(regions) > 240

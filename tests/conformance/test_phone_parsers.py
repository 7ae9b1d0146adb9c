"""What the port PhoneParser promises, of every adapter that ships."""

import pytest

from services.normalization.domain import LONGEST_PHONE, Phone, Refusal, RefusedPhone
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser
from tests.unit.normalization.phone_texts import NO_REGIONS, REGIONS, PhoneTexts


@pytest.fixture(params=["library", "compiled"])
def phones(request: pytest.FixtureRequest) -> PhoneParser:
    library = LibraryPhones()
    return library if request.param == "library" else CompiledPhones(library)


def test_e164_is_read_back_as_itself_under_any_region(phones: PhoneParser) -> None:
    for text, region in PhoneTexts(7).draw(1_000):
        first = phones.parse(text, region)
        if not isinstance(first, Phone):
            continue

        again = phones.parse(first.e164, "RU")

        assert isinstance(again, Phone)
        assert again[:2] == first[:2]


def test_the_same_text_has_the_same_answer(phones: PhoneParser) -> None:
    texts = list(PhoneTexts(8).draw(500))

    first = [phones.parse(text, region) for text, region in texts]

    assert [phones.parse(text, region) for text, region in texts] == first


def test_no_text_raises(phones: PhoneParser) -> None:
    for text in ("\ud800", "\U0010ffff", "0" * LONGEST_PHONE, "+" * LONGEST_PHONE, "tel:;ext=", ";", "#", "\x00"):
        assert isinstance(phones.parse(text, "RU"), RefusedPhone)


def test_refusals_of_phones_are_reasons_for_phones(phones: PhoneParser) -> None:
    refused = [phones.parse(text, region) for text, region in PhoneTexts(9).draw(1_000)]

    assert Refusal.NOT_AN_EMAIL not in {result.refusal for result in refused if isinstance(result, RefusedPhone)}


def test_regions_of_the_library_are_known_and_others_not(phones: PhoneParser) -> None:
    assert all(phones.knows(region) for region in REGIONS)
    assert not any(phones.knows(region) for region in NO_REGIONS)
    assert phones.metadata_version

"""Every spelling that imports hold, and what merely looks like one."""

import pytest

from services.normalization.domain import DecidedBy, Phone, Refusal, RefusedPhone
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser

RUSSIAN = "+79001234567"
PLUS, IDD, CODE, REGION = (
    DecidedBy.PLUS,
    DecidedBy.INTERNATIONAL_PREFIX,
    DecidedBy.COUNTRY_CODE,
    DecidedBy.DEFAULT_REGION,
)


@pytest.fixture(params=["library", "compiled"])
def phones(request: pytest.FixtureRequest) -> PhoneParser:
    library = LibraryPhones()
    return library if request.param == "library" else CompiledPhones(library)


@pytest.mark.parametrize(
    ("text", "decided_by"),
    [
        ("+79001234567", PLUS),
        ("79001234567", CODE),
        ("89001234567", REGION),
        ("9001234567", REGION),
        ("8 (900) 123-45-67", REGION),
        ("8-900-123-45-67", REGION),
        ("8.900.123.45.67", REGION),
        ("8900\u00a0123\u00a045\u00a067", REGION),
        ("8900\u202f123\u202f45\u202f67", REGION),
        ("[8] 900 123 45 67", REGION),
        ("+7 (900) 123‑45‑67", PLUS),
        ("(+7) 900 123 45 67", PLUS),
        ("+7 900 123-45-67.", PLUS),
        ("0079001234567", IDD),
        ("00 7 900 123-45-67", IDD),
        ("81079001234567", IDD),
        ("8~10 7 900 1234567", IDD),
        ("８９００１２３４５６７", REGION),
        ("＋７９００１２３４５６７", PLUS),
        ("+٧٩٠٠١٢٣٤٥٦٧", PLUS),
        ("٨٩٠٠١٢٣٤٥٦٧", REGION),
        ("tel:+7-900-123-45-67", PLUS),
        ("TEL:+79001234567", PLUS),
        ("tel:9001234567;phone-context=+7", PLUS),
        ("TEL:900-123-45-67;phone-context=+7", PLUS),
        ("tel:89001234567;phone-context=example.com", REGION),
        ("tel:+79001234567;isub=12345", PLUS),
        ("  +79001234567\r\n", PLUS),
        ("\u202a+7 900 123-45-67\u202c", PLUS),
    ],
)
def test_one_number_in_any_spelling_is_one_number(phones: PhoneParser, text: str, decided_by: DecidedBy) -> None:
    assert phones.parse(text, "RU") == Phone(RUSSIAN, "RU", decided_by)


@pytest.mark.parametrize(
    ("text", "default_region", "expected"),
    [
        ("8 (727) 258-44-55", "RU", Phone("+77272584455", "KZ", REGION)),
        ("8~10 44 20 7946 0958", "RU", Phone("+442079460958", "GB", IDD)),
        ("0044 20 7946 0958", "RU", Phone("+442079460958", "GB", IDD)),
        ("00 44 20 7946 0958", "DE", Phone("+442079460958", "GB", IDD)),
        ("011 44 20 7946 0958", "US", Phone("+442079460958", "GB", IDD)),
        ("00 44 20 7946 0958", "US", Phone("+442079460958", "GB", IDD)),
        ("+44 1534 123456", "RU", Phone("+441534123456", "JE", PLUS)),
        ("030/901820", "DE", Phone("+4930901820", "DE", REGION)),
        ("+39 02 1234 5678", "RU", Phone("+390212345678", "IT", PLUS)),
        ("011 15-2345-6789", "AR", Phone("+5491123456789", "AR", REGION)),
        ("+800 1234 5678", "RU", Phone("+80012345678", "001", PLUS)),
        ("+7 900 123-45-67", "ZZ", Phone(RUSSIAN, "RU", PLUS)),
    ],
)
def test_numbers_of_other_places_are_read_by_their_own_plan(
    phones: PhoneParser, text: str, default_region: str, expected: Phone
) -> None:
    assert phones.parse(text, default_region) == expected


@pytest.mark.parametrize(
    "text",
    [
        "my number is +14155552671",
        "call 89001234567 now",
        "89001234567 Иван",
        "тел. 89001234567",
        "8900 12 Ivan 7",  # the library makes +79001248267 of it
        "1-800-FLOWERS",
        "+1 800 FLOWERS",
        "tel:1-800-FLOWERS",
        "8900123456O",
        "89001234567,",
        "'+79001234567",
        "=+79001234567",
        "8900+1234567",
        "*100#",
        "\x00",
        "+7900\x001234567",
        "+79001234567\x00",
        "+7900\t1234567",
        "+79001234567\x1c",
        "+7900\n1234567",
        "²³⁴⁵⁶⁷",
        "tel:",
        "tel:+79001234567;note=my number is",
        "+",
        "нет",
    ],
)
def test_a_text_that_is_not_just_a_number_is_refused(phones: PhoneParser, text: str) -> None:
    assert phones.parse(text, "RU") == RefusedPhone(Refusal.NOT_A_NUMBER)


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u00a0", "\ufeff", " " * 300])
def test_nothing_is_empty(phones: PhoneParser, text: str) -> None:
    assert phones.parse(text, "RU") == RefusedPhone(Refusal.EMPTY)


@pytest.mark.parametrize(
    "text",
    [
        "+7 900 123-45-67 доб. 12",
        "+7 900 123-45-67 ext. 12",
        "+7 900 123-45-67 x12",
        "+7 900 123-45-67 #12",
        "+7 900 123-45-67,,12",
        "+7 900 123-45-67;ext=12",
        "tel:+79001234567;ext=12",
        "tel:9001234567;ext=12;phone-context=+7",
        "tel:9001234567;phone-context=+7;EXT=12",
    ],
)
def test_a_valid_number_with_an_extension_is_refused_as_such(phones: PhoneParser, text: str) -> None:
    assert phones.parse(text, "RU") == RefusedPhone(Refusal.EXTENSION_NOT_SUPPORTED, PLUS)


@pytest.mark.parametrize(
    ("text", "refusal", "decided_by"),
    [
        ("1", Refusal.TOO_SHORT, None),
        ("12", Refusal.TOO_SHORT, REGION),
        ("123", Refusal.TOO_SHORT, REGION),
        ("+7", Refusal.TOO_SHORT, None),
        ("123-45-67", Refusal.TOO_SHORT, REGION),  # a local number, without its area code
        ("+7 900 123", Refusal.TOO_SHORT, PLUS),
        ("+7 900 12 доб. 3", Refusal.TOO_SHORT, PLUS),
        ("+7 900 123-45-67-89-0123", Refusal.TOO_LONG, PLUS),
        ("8900123456789012345678", Refusal.TOO_LONG, None),
        ("8" * 257, Refusal.TOO_LONG, None),
        ("x" * 257, Refusal.TOO_LONG, None),
        ("+7 000 123-45-67", Refusal.INVALID_FOR_REGION, PLUS),
        ("8 000 123-45-67", Refusal.INVALID_FOR_REGION, REGION),
        ("+999 123456", Refusal.UNKNOWN_COUNTRY_CODE, None),
        ("+8 900 123-45-67", Refusal.UNKNOWN_COUNTRY_CODE, None),
    ],
)
def test_an_invalid_number_says_what_is_wrong(
    phones: PhoneParser, text: str, refusal: Refusal, decided_by: DecidedBy | None
) -> None:
    assert phones.parse(text, "RU") == RefusedPhone(refusal, decided_by)


def test_national_numbers_of_no_region_are_refused(phones: PhoneParser) -> None:
    assert phones.parse("89001234567", "ZZ") == RefusedPhone(Refusal.UNKNOWN_COUNTRY_CODE)
    assert not phones.knows("ZZ")


def test_the_version_is_that_of_the_metadata(phones: PhoneParser) -> None:
    assert phones.metadata_version.startswith("9.")
    assert phones.knows("RU")


@pytest.mark.parametrize("unit", ["(", "1", "1,", "1 ", " ", "+", "1;a=", "x1", "1x", "-1", "~", "\u0661", "1#", "ext"])
@pytest.mark.timeout(60)
def test_no_text_takes_long_to_refuse(phones: PhoneParser, unit: str) -> None:
    for tail in ("", "!", "доб. 1", ";ext=1", "#"):
        text = (unit * 256)[: 250 - len(tail)] + tail

        phones.parse(text, "RU")

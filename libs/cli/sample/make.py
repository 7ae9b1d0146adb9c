"""Makes the sample: python -m libs.cli.sample.make. The same files for the same release of phonenumbers.

The phones are the example numbers of every region and type that phonenumbers ships, which are valid by construction, in
E.164, international and RFC 3966 spelling. A national spelling means something in its own country alone, and the sample
is read under the default region RU: so country code 7 has the national form as it is written there, and every other
number has it in the one form that names its country, RFC 3966's local number with a phone-context. The rows of one
number stand together, with one name: one person in several spellings.

Bad rows are bad by construction. So the counts in expected.json come from here and not from our normaliser; that the
normaliser finds the same is a test.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import Any, Final, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from libs.cli.sample import CONTACTS_FILE, EXPECTED_FILE
from libs.cli.sample.names import latin, names

_SEED: Final = 8800
_DEFAULT_REGION: Final = "RU"
_RUSSIAN_CODE: Final = 7
_ONE_BAD_ROW_EACH: Final = 14  # so many people
_E_MAIL_EACH: Final = 3
_KINDS: Final = {
    PhoneNumberType.MOBILE: "мобильный",
    PhoneNumberType.FIXED_LINE: "городской",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "городской или мобильный",
    PhoneNumberType.TOLL_FREE: "бесплатный",
    PhoneNumberType.PREMIUM_RATE: "платный",
    PhoneNumberType.SHARED_COST: "с общей оплатой",
    PhoneNumberType.VOIP: "интернет-телефония",
    PhoneNumberType.PERSONAL_NUMBER: "персональный",
    PhoneNumberType.PAGER: "пейджер",
    PhoneNumberType.UAN: "единый номер",
    PhoneNumberType.VOICEMAIL: "голосовая почта",
}
_TAGS: Final = ("лид", "клиент", "сайт", "выставка", "рекомендация", "повторный звонок", "опт", "VIP-клиент")
_SOURCES: Final = ("website", "выставка «Связь»", "1С", "звонок", "рассылка")


class Example(NamedTuple):
    """An example number of the library."""

    number: PhoneNumber
    region: str
    kind: str

    @property
    def e164(self) -> str:
        """The identity that every spelling of it has."""
        return phonenumbers.format_number(self.number, PhoneNumberFormat.E164)


class Sample(NamedTuple):
    """What is written to the two files."""

    contacts: list[dict[str, Any]]
    expected: dict[str, Any]


def make() -> Sample:
    """Put the rows together and count them."""
    people = zip(examples(), names(_SEED), strict=False)
    bad = _bad_phones()
    chance = random.Random(_SEED)  # noqa: S311 - a sample, not a secret
    contacts: list[dict[str, Any]] = []
    refusals: Counter[str] = Counter()
    for index, (example, name) in enumerate(people, start=1):
        contacts += [_contact(phone, name, example, index, chance) for phone in spellings(example.number)]
        if index % _ONE_BAD_ROW_EACH == 0:
            refusal, phone = next(bad)
            contacts.append(_contact(phone.format(example.e164), name, example, index, chance))
            refusals[refusal] += 1
    return Sample(contacts, _expected(total=len(contacts), unique=index, refusals=refusals))


def examples() -> Iterator[Example]:
    """Yield every distinct example number, by region and type, then those of no region."""
    seen = set()
    for example in _all_examples():
        if example.e164 not in seen:
            seen.add(example.e164)
            yield example


def spellings(number: PhoneNumber) -> list[str]:
    """The ways to write it that mean this number under the default region."""
    forms = [PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.RFC3966]
    written = [phonenumbers.format_number(number, form) for form in forms]
    if number.country_code == _RUSSIAN_CODE:
        written.append(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
    else:
        national = phonenumbers.national_significant_number(number)
        written.append(f"tel:{national};phone-context=+{number.country_code}")
    return written


def _all_examples() -> Iterator[Example]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind, label in _KINDS.items():
            number = phonenumbers.example_number_for_type(region, kind)
            if number is not None:
                yield Example(number, region, label)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        number = phonenumbers.example_number_for_non_geo_entity(code)
        if number is not None:
            yield Example(number, "001", "международный")


def _bad_phones() -> Iterator[tuple[str, str]]:
    """Yield the refusal's name and the text, in which {} is a valid number, by turns."""
    return cycle(
        [
            ("NOT_A_NUMBER", "не звонить"),
            ("NOT_A_NUMBER", "мой номер {}"),  # merely contains one
            ("TOO_SHORT", "+7 900 12"),
            ("TOO_LONG", "{}000000000000000000"),  # over 17 digits: no plan on earth
            ("UNKNOWN_COUNTRY_CODE", "+999 12 345 67 89"),  # kept free by the ITU
            ("INVALID_FOR_REGION", "+7 000 000-00-00"),  # area codes do not begin with 0
            ("EXTENSION_NOT_SUPPORTED", "{} доб. 12"),
        ]
    )


def _contact(phone: str, name: tuple[str, str], example: Example, index: int, chance: random.Random) -> dict[str, Any]:
    first_name, last_name = name
    fields = {"first_name": first_name, "last_name": last_name, "region": example.region}
    fields["source"] = _SOURCES[index % len(_SOURCES)]
    if index % _E_MAIL_EACH == 0:
        fields["email"] = f"{latin(first_name)}.{latin(last_name)}.{index}@example.com"
    return {"phone": phone, "tags": [example.kind, *chance.sample(_TAGS, 2)], "additionalFields": fields}


def _expected(*, total: int, unique: int, refusals: Counter[str]) -> dict[str, Any]:
    invalid = refusals.total()
    return {
        "total": total,
        "valid": total - invalid,
        "invalid": invalid,
        "unique": unique,
        "refusals": dict(sorted(refusals.items())),
        "default_region": _DEFAULT_REGION,
        "metadata_version": phonenumbers.__version__,
    }


def render(sample: Sample) -> tuple[bytes, bytes]:
    """The two files' bytes, one contact a line."""
    lines = ",\n".join(json.dumps(contact, ensure_ascii=False) for contact in sample.contacts)
    return f"[\n{lines}\n]\n".encode(), f"{json.dumps(sample.expected, indent=2)}\n".encode()


if __name__ == "__main__":
    for file, content in zip((CONTACTS_FILE, EXPECTED_FILE), render(make()), strict=True):
        file.write_bytes(content)

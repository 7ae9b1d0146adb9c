"""Texts that may be phones, drawn at random from a seed: the hostile mix on which the two engines must agree."""

import random
from collections.abc import Callable, Iterator
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

REGIONS: Final = tuple(sorted(phonenumbers.SUPPORTED_REGIONS))
NO_REGIONS: Final = ("ZZ", "AQ", "")
_OTHER_DIGITS: Final = ("０１２３４５６７８９", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९")
_SEPARATORS: Final = " -.()/~[]\u00a0\u2011\u2009\u3000\u00ad\u200b*#,;xX+\t"
_GARBAGE: Final = " -.()+0123456789xabcZя;=,/#*~\u0000\n\u00a0٣８"
_LABELS: Final = (" x", " ext. ", ";ext=", " доб. ", "#", " ~ ", ", ", ",,", ";", " int ", " anexo ", " call ", "x")
_AROUND: Final = (
    " {}",
    "{}\n",
    "\u202a{}\u202c",
    "tel:{}",
    "TEL:{}",
    "my number is {}",
    "{} Ivan",
    "{}.",
    "'{}",
    "({})",
)


def examples() -> tuple[PhoneNumber, ...]:
    """The example number of every region and type, and of every country code that belongs to no region."""
    kinds = [kind for kind in PhoneNumberType.values() if kind != PhoneNumberType.UNKNOWN]
    found = [phonenumbers.example_number_for_type(region, kind) for region in REGIONS for kind in kinds]
    codes = sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS)
    found += [phonenumbers.example_number_for_non_geo_entity(code) for code in codes]
    return tuple(number for number in found if number is not None)


class PhoneTexts:
    """Draws texts with a default region each, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._examples = examples()
        self._draws: tuple[Callable[[], tuple[str, str]], ...] = (
            self._example,
            self._example,
            self._example,
            self._neighbour,
            self._neighbour,
            self._random_digits,
            self._prefixed,
            self._russian,
            self._garbage,
        )

    def draw(self, count: int) -> Iterator[tuple[str, str]]:
        """Yield that many texts, each with the default region to read it under."""
        for _ in range(count):
            text, region = self._random.choice(self._draws)()
            yield self._disguise(text), region

    def _example(self) -> tuple[str, str]:
        number = self._random.choice(self._examples)
        spelling = self._random.randrange(9)
        national = phonenumbers.national_significant_number(number)
        if spelling < 4:
            text = phonenumbers.format_number(number, spelling)
        elif spelling == 4:
            text = f"{number.country_code}{national}"
        elif spelling == 5:
            text = f"00{number.country_code}{national}"
        elif spelling == 6:
            text = national
        elif spelling == 7:
            text = f"+{number.country_code}{self._grouped(national)}"
        else:
            text = phonenumbers.format_out_of_country_calling_number(number, self._random.choice(REGIONS))
        return self._mutated(text), self._region_near(number)

    def _neighbour(self) -> tuple[str, str]:
        """A national number of the right length with random digits after the first few, as its own country dials it."""
        number = self._random.choice(self._examples)
        national = phonenumbers.national_significant_number(number)
        kept = self._random.randrange(len(national))
        text = national[:kept] + self._digits(len(national) - kept)
        region = self._region_near(number)
        metadata = PhoneMetadata.metadata_for_region(region)
        prefix = (metadata.national_prefix or "") if metadata else ""
        return self._random.choice((text, prefix + text, f"+{number.country_code}{text}", self._grouped(text))), region

    def _random_digits(self) -> tuple[str, str]:
        plus = self._random.choice(("", "", "+"))
        return plus + self._digits(self._random.randint(1, 20)), self._random.choice(REGIONS)

    def _prefixed(self) -> tuple[str, str]:
        """An international call as dialled in some region."""
        number = self._random.choice(self._examples)
        prefix = self._random.choice(("00", "011", "810", "8~10", "0011", "010", "119", "0", "8", "1"))
        national = phonenumbers.national_significant_number(number)
        text = f"{prefix}{self._random.choice(('', ' ', '-'))}{number.country_code}{self._grouped(national)}"
        return self._mutated(text), self._random.choice(REGIONS)

    def _russian(self) -> tuple[str, str]:
        digits = self._random.choice(("9", "9", "49", "8", "7")) + self._digits(9)
        text = self._random.choice(("8{}", "7{}", "+7{}", "{}", "8 ({}", "+7 {}", "007{}", "+8{}")).format(digits[:10])
        return self._mutated(text), self._random.choice(("RU", "RU", "KZ", "UA", "BY"))

    def _garbage(self) -> tuple[str, str]:
        length = self._random.randint(0, 24)
        region = self._random.choice(REGIONS + NO_REGIONS)
        return "".join(self._random.choice(_GARBAGE) for _ in range(length)), region

    def _disguise(self, text: str) -> str:
        roll = self._random.random()
        if roll < 0.02:
            return text.translate(str.maketrans("0123456789", self._random.choice(_OTHER_DIGITS)))
        if roll < 0.05:
            return text + self._random.choice(_LABELS) + self._digits(self._random.randint(1, 8))
        if roll < 0.08:
            return self._random.choice(_AROUND).format(text)
        return text

    def _mutated(self, text: str) -> str:
        for _ in range(self._random.choice((0, 0, 0, 1, 2, 3))):
            at = self._random.randint(0, len(text))
            filler = self._random.choice((self._random.choice(_SEPARATORS), self._digits(1), ""))
            text = text[:at] + filler + text[at + self._random.randint(0, 1) :]
        return text

    def _grouped(self, digits: str) -> str:
        at = self._random.randint(0, len(digits))
        return digits[:at] + self._random.choice(("", " ", "-", ".", ") ", " (")) + digits[at:]

    def _digits(self, count: int) -> str:
        return "".join(self._random.choice("0123456789") for _ in range(count))

    def _region_near(self, number: PhoneNumber) -> str:
        own = [
            region
            for region in phonenumbers.region_codes_for_country_code(number.country_code or 0)
            if region in REGIONS
        ]
        return self._random.choice(own) if own and self._random.random() < 0.7 else self._random.choice(REGIONS)


def load_texts(count: int, seed: int) -> list[str]:
    """Phones as imports hold them: Russian and foreign ones in the usual spellings, 2 % garbage."""
    generator = random.Random(seed)
    foreign = [number for number in examples() if number.country_code not in (7, None)]

    def national() -> str:
        return "9" + "".join(generator.choice("0123456789") for _ in range(9))

    def text() -> str:
        roll, digits = generator.random(), national()
        if roll < 0.02:
            return generator.choice(("нет", "abc", "123", "-", "8900", "не звонить", "n/a"))
        if roll < 0.17:
            number = generator.choice(foreign)
            return phonenumbers.format_number(
                number, generator.choice((PhoneNumberFormat.E164, PhoneNumberFormat.INTERNATIONAL))
            )
        form = generator.choice(("+7{0}", "7{0}", "8{0}", "8 ({1}) {2}-{3}-{4}", "+7 {1} {2} {3} {4}"))
        return form.format(digits, digits[:3], digits[3:6], digits[6:8], digits[8:])

    return [text() for _ in range(count)]

"""CPU per phone of the library and of the fast path: python -m tests.bench.phones [texts]."""

import gc
import sys
import time
from statistics import median
from typing import Final

import phonenumbers

from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.ports import PhoneParser
from tests.unit.normalization.phone_texts import load_texts

ROUNDS: Final = 5
_MICROSECONDS: Final = 1e6


def bare(text: str) -> str | None:
    """What a good engineer would write with phonenumbers: parse, valid, E.164."""
    try:
        number = phonenumbers.parse(text, "RU")
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if valid else None


def cost_of_bare(texts: list[str]) -> float:
    """Microseconds of CPU a phone."""
    began = time.process_time()
    for text in texts:
        bare(text)
    return (time.process_time() - began) / len(texts) * _MICROSECONDS


def cost(parser: PhoneParser, texts: list[str]) -> float:
    """Microseconds of CPU a phone."""
    parse = parser.parse
    began = time.process_time()
    for text in texts:
        parse(text, "RU")
    return (time.process_time() - began) / len(texts) * _MICROSECONDS


def main(count: int) -> None:
    """Interleaved rounds; medians, and the range of the ratio."""
    texts, library = load_texts(count, seed=1), LibraryPhones()
    compiled = CompiledPhones(library)
    cost(compiled, texts), cost(library, texts)  # warm: plans compiled, patterns cached
    gc.freeze()
    rounds = [(cost_of_bare(texts), cost(library, texts), cost(compiled, texts)) for _ in range(ROUNDS)]
    names = ("phonenumbers", "with our checks", "fast path")
    for name, figures in zip(names, zip(*rounds, strict=True), strict=True):
        sys.stdout.write(f"{name:16}{median(figures):8.2f} µs a phone\n")
    ratios = sorted(first / last for first, _, last in rounds)
    fast = sum(compiled.answer(text, "RU") is not None for text in texts) / len(texts)
    sys.stdout.write(f"{median(ratios):.1f} times phonenumbers ({ratios[0]:.1f} to {ratios[-1]:.1f}); ")
    sys.stdout.write(f"{fast:.1%} of {len(texts)} took the fast path; {phonenumbers.__version__}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

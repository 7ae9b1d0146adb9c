"""CPU per phone of the library and of the fast path: python -m tests.bench.phones [--json] [texts].

A peer of `contactsync bench all` with `--json`: figures of every round, and how many texts are answered otherwise.
"""

import gc
import json
import sys
import time
from statistics import median
from typing import Final

import phonenumbers

from services.normalization.domain import Phone
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


def measure(library: PhoneParser, compiled: PhoneParser, texts: list[str]) -> list[tuple[float, float, float]]:
    """Interleaved rounds."""
    cost(compiled, texts), cost(library, texts)  # warm: plans compiled, patterns cached
    gc.freeze()
    return [(cost_of_bare(texts), cost(library, texts), cost(compiled, texts)) for _ in range(ROUNDS)]


def count_different(compiled: PhoneParser, texts: list[str]) -> int:
    """Texts that the library alone answers otherwise. Nothing of ours is asked for what is right."""
    answers = (compiled.parse(text, "RU") for text in texts)
    ours = (answer.e164 if isinstance(answer, Phone) else None for answer in answers)
    return sum(mine != bare(text) for mine, text in zip(ours, texts, strict=True))


def tell(count: int) -> None:
    """One JSON document."""
    texts, library = load_texts(count, seed=1), LibraryPhones()
    compiled = CompiledPhones(library)
    theirs, _, fast = zip(*measure(library, compiled, texts), strict=True)
    figures = {"phonenumbers_us": theirs, "fast_us": fast, "different": count_different(compiled, texts)}
    sys.stdout.write(json.dumps(figures | {"texts": count, "version": phonenumbers.__version__}))


def main(count: int) -> None:
    """Medians, and the range of the ratio."""
    texts, library = load_texts(count, seed=1), LibraryPhones()
    compiled = CompiledPhones(library)
    rounds = measure(library, compiled, texts)
    names = ("phonenumbers", "with our checks", "fast path")
    for name, figures in zip(names, zip(*rounds, strict=True), strict=True):
        sys.stdout.write(f"{name:16}{median(figures):8.2f} µs a phone\n")
    ratios = sorted(first / last for first, _, last in rounds)
    fast = sum(compiled.answer(text, "RU") is not None for text in texts) / len(texts)
    sys.stdout.write(f"{median(ratios):.1f} times phonenumbers ({ratios[0]:.1f} to {ratios[-1]:.1f}); ")
    sys.stdout.write(f"{fast:.1%} of {len(texts)} took the fast path; {phonenumbers.__version__}\n")


if __name__ == "__main__":
    run = tell if "--json" in sys.argv else main
    run(int(sys.argv[-1]) if sys.argv[-1].isdecimal() else 10_000)

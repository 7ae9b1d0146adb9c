"""``contactsync bench directory``: what a contact book costs that is large, beside a small one."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from libs.cli.bench.books import Book, running_book
from libs.cli.bench.environment import environment
from libs.cli.bench.figures import percentile
from libs.cli.bench.questions import READS, WRITES, Question, deep_page

SMALL, LARGE = "small", "large"
_WARM_UP: Final = 5
_FILLED: Final = (
    "ApplyMany of directory, called as delivery calls it: 1000 contacts a delivery, 3 calls at once; without the "
    "gateway, ingestion and delivery. Letters are posted behind it, in the background."
)

Latencies = Mapping[str, Mapping[str, Sequence[float]]]
"""Seconds, by question and book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Two hubs, one of ``small`` contacts and one of ``large``; each question ``calls`` times to each, in turn."""

    small: int
    large: int
    calls: int
    seed: int


def bench_directory(plan: Plan) -> dict[str, Any]:
    """Runs the plan; ratios are the large book's figures over the small one's."""
    return asyncio.run(_bench(plan))


async def _bench(plan: Plan) -> dict[str, Any]:
    async with running_book(plan.small) as small, running_book(plan.large) as large:
        books = {SMALL: small, LARGE: large}
        found = {name: _shown(book) for name, book in books.items()}
        # Writes come last: they leave the small book larger, and letters to be posted.
        latencies = {**await _ask(READS, books, plan), **await _ask(WRITES, books, plan)}
        memory = {name: book.memory_mb() for name, book in books.items()}
    return {
        "environment": environment(plan),
        "filled_by": _FILLED,
        "books": {name: shown | {"directory_memory_mb": memory[name]} for name, shown in found.items()},
        "questions": figures_of(latencies),
    }


def _shown(book: Book) -> dict[str, float]:
    return {
        "contacts": book.contacts,
        "fill_seconds": book.fill_seconds,
        "contacts_per_s": round(book.contacts / book.fill_seconds) if book.fill_seconds else 0,
        "letters_seconds": book.letters_seconds,
        "disk_mb": book.disk_mb(),
        "deep_page": deep_page(book.contacts),
    }


async def _ask(questions: Sequence[Question], books: Mapping[str, Book], plan: Plan) -> Latencies:
    """One caller; every round asks every question of both books, now of one first and now of the other."""
    chance = random.Random(plan.seed)  # noqa: S311 — which contacts are asked for, no secrets
    latencies: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(-_WARM_UP, plan.calls):
        for question in questions:
            for name, book in list(books.items())[:: 1 if turn % 2 else -1]:
                seconds = await question.ask(book, chance)
                if turn >= 0:
                    latencies[question.name][name].append(seconds)
    return latencies


def figures_of(latencies: Latencies) -> dict[str, dict[str, dict[str, float]]]:
    """Of each question p50 and p99 in milliseconds, and the large book's over the small one's."""
    return {question: _figures(by_book) for question, by_book in latencies.items()}


def _figures(by_book: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    shares = {"p50_ms": 0.5, "p99_ms": 0.99}
    found = {
        book: {name: percentile(seconds, share) * 1000 for name, share in shares.items()}
        for book, seconds in by_book.items()
    }
    ratio = {name.removesuffix("_ms"): found[LARGE][name] / found[SMALL][name] for name in shares}
    return {
        name: {key: round(value, 2) for key, value in row.items()} for name, row in (found | {"ratio": ratio}).items()
    }

"""The arithmetic of `contactsync bench directory`, and the contacts that it asks for."""

import pytest

from libs.cli.bench.books import RARE, RARELY, contact_of, email_of, phone_of
from libs.cli.bench.directory import figures_of
from libs.cli.bench.questions import deep_page


def test_ratios_are_those_of_the_large_book_over_the_small_one() -> None:
    latencies = {"get_lead": {"small": [0.002, 0.001, 0.004], "large": [0.003, 0.006, 0.001]}}

    assert figures_of(latencies) == {
        "get_lead": {
            "small": {"p50_ms": 2.0, "p99_ms": 4.0},
            "large": {"p50_ms": 3.0, "p99_ms": 6.0},
            "ratio": {"p50": 1.5, "p99": 1.5},
        }
    }


@pytest.mark.parametrize(("contacts", "page"), [(1000, 3), (50_000, 166), (1_000_000, 1000)])
def test_the_deep_page_is_page_1000_or_the_last_full_one(contacts: int, page: int) -> None:
    assert deep_page(contacts) == page


@pytest.mark.parametrize("contacts", [1000, 5000])
def test_the_rare_name_is_as_rare_in_every_book(contacts: int) -> None:
    names = [contact_of(number, contacts)["additionalFields"]["last_name"] for number in range(contacts)]

    assert names.count(RARE) == RARELY


def test_contacts_are_told_apart_by_phone_and_by_email() -> None:
    assert len({phone_of(number) for number in range(2000)}) == 2000
    assert len({email_of(number) for number in range(2000)}) == 2000

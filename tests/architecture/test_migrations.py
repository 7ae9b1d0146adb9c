"""A migration's name says which programs can still work on what it makes."""

import re
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
OWNERS = sorted(folder.parent.name for folder in SERVICES.glob("*/migrations"))
# Of these nobody said it, and each admits only who knows it.
UNSAID = {"access": 2, "delivery": 4, "directory": 4, "idempotency": 1, "ingestion": 3, "source_polling": 1}


def revisions(service: str) -> list[str]:
    files = sorted((SERVICES / service / "migrations" / "versions").glob("[0-9]*.py"))
    found = [re.search(r'^revision = "(.*)"$', file.read_text(), re.MULTILINE) for file in files]
    named = [each[1] for each in found if each]
    assert named == [file.name.partition("_")[0] for file in files]
    return named


@pytest.mark.parametrize("service", OWNERS)
def test_each_says_who_may_go_on_and_takes_none_of_it_back(service: str) -> None:
    later = revisions(service)[UNSAID[service] :]

    pairs = [re.fullmatch(r"(\d{4})\.(\d{4})", revision) for revision in later]

    assert None not in pairs
    admitted = [f"{UNSAID[service]:04}", *(pair[2] for pair in pairs if pair)]
    assert admitted == sorted(admitted)
    assert all(pair[2] <= pair[1] for pair in pairs if pair)

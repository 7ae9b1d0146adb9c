"""The sample: contacts in the shape of an import, and what is to come of them. Made by `make.py`, which says how."""

import json
from pathlib import Path
from typing import Any, Final

CONTACTS_FILE: Final = Path(__file__).with_name("contacts.json")
EXPECTED_FILE: Final = Path(__file__).with_name("expected.json")


def read_sample() -> list[dict[str, Any]]:
    """The contacts, as POST /v1/contacts/import takes them."""
    contacts: list[dict[str, Any]] = json.loads(CONTACTS_FILE.read_bytes())
    return contacts


def read_expected() -> dict[str, Any]:
    """What is expected under the default region RU: total, valid, invalid, unique numbers, refusals by code."""
    expected: dict[str, Any] = json.loads(EXPECTED_FILE.read_bytes())
    return expected

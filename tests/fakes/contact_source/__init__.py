"""A custom contact source (custom-contact-source.txt) over real HTTP that misbehaves as it is told."""

from tests.fakes.contact_source.behaviour import (
    Altered,
    Before,
    Behaviour,
    Cut,
    Endless,
    Hang,
    Quirks,
    Slow,
    Status,
    non_json,
    redirect,
    too_many,
)
from tests.fakes.contact_source.book import Book, Document, make_contact
from tests.fakes.contact_source.server import Asked, ContactSourceFake

__all__ = [
    "Altered",
    "Asked",
    "Before",
    "Behaviour",
    "Book",
    "ContactSourceFake",
    "Cut",
    "Document",
    "Endless",
    "Hang",
    "Quirks",
    "Slow",
    "Status",
    "make_contact",
    "non_json",
    "redirect",
    "too_many",
]

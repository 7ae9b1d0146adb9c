"""How a source may misbehave: at one page, or always."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.contact_source.book import Document


@dataclass(frozen=True)
class Status:
    """Answers this instead of the page."""

    code: int
    body: bytes = b'{"error":"told to"}'
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Slow:
    """Answers with the page when the test says `go_on`."""


@dataclass(frozen=True)
class Hang:
    """Reads, and never answers."""


@dataclass(frozen=True)
class Cut:
    """Cuts the line in the middle of the page."""


@dataclass(frozen=True)
class Endless:
    """Answers with a page that does not end."""


@dataclass(frozen=True)
class Before:
    """Does something, then answers with the page as it is then: contacts that change while they are paged."""

    happens: Callable[[], None]


@dataclass(frozen=True)
class Altered:
    """Answers with the page after this was done to it."""

    alter: Callable[[Document], Document]


Behaviour = Status | Slow | Hang | Cut | Endless | Before | Altered


@dataclass
class Quirks:
    """What the source always does otherwise."""

    has_more: bool | None = None
    """Says this on every page, whatever is true."""
    silent_on_more: bool = False
    """Never says `has_more`."""
    same_page: bool = False
    """Gives page 1 whatever page is asked for, and says that there is more."""
    numeric_ids: bool = False
    extra_keys: bool = False
    """Sends keys that no document names, at both levels."""
    opaque_tokens: bool = False
    """Tokens are no JWT."""

    def shape(self, document: Document) -> Document:
        """Give the page as this source gives it."""
        shaped = {name: _shape_rows(value, self) for name, value in document.items()}
        if self.has_more is not None:
            shaped["has_more"] = self.has_more
        if self.same_page:
            shaped["has_more"] = True
        if self.silent_on_more:
            del shaped["has_more"]
        if self.extra_keys:
            shaped["links"] = {"next": "http://elsewhere.example"}
        return shaped


def _shape_rows(rows: Any, quirks: Quirks) -> Any:
    if not isinstance(rows, list):
        return rows
    if quirks.numeric_ids:
        rows = [{**row, "id": int(row["id"])} if isinstance(row, dict) else int(row) for row in rows]
    if quirks.extra_keys:
        rows = [{**row, "colour": "red", "nested": {"a": [1]}} if isinstance(row, dict) else row for row in rows]
    return rows


def non_json() -> Status:
    """200, and a web page instead of JSON."""
    return Status(200, b"<html><body>Under maintenance</body></html>", {"Content-Type": "text/html"})


def too_many(retry_after: str) -> Status:
    """429."""
    return Status(429, headers={"Retry-After": retry_after})


def redirect(target: str) -> Status:
    """302 to somewhere else."""
    return Status(302, b"", {"Location": target})

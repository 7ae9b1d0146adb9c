"""What the policy of the pages forbids stands in none of them."""

import re
from pathlib import Path

import pytest

import services.console

ROOM = Path(services.console.__file__).parent
TEMPLATES = sorted((ROOM / "templates").rglob("*.html"))
_FORBIDDEN = re.compile(
    r"\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<style|<iframe|\|\s*safe\b|autoescape", re.IGNORECASE
)
_ELSEWHERE = re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE)
_TOKEN = re.compile(r"\{\{ (?:token|own)\(\) \}\}|name=\"csrf\"")
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOM / "templates")))
def test_template_has_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()

    assert [*_FORBIDDEN.findall(text), *_ELSEWHERE.findall(text), *_INLINE.findall(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOM / "templates")))
def test_every_form_that_changes_something_has_the_sessions_token(path: Path) -> None:
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.DOTALL)
    of_session = [form for form in forms if "/console/login" not in form]

    assert [form for form in of_session if not _TOKEN.search(form)] == []


@pytest.mark.parametrize("name", ["console.css", "forms.css", "console.js"])
def test_asset_fetches_nothing_from_elsewhere(name: str) -> None:
    assert not re.search(r"https?://|@import|url\(", (ROOM / "static" / name).read_text())

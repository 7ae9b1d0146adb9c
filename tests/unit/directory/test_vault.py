"""Tokens of contact sources."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from services.directory.domain.credential import NO_ID, CredentialId, SourceToken
from services.directory.vault import JwtSourceTokens

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
TOKEN = SourceToken(CredentialId("a" * 12), "1f")
TOKENS = JwtSourceTokens(bytes(range(32)))


@pytest.mark.parametrize("later", [timedelta(0), timedelta(minutes=59, seconds=59)])
def test_a_token_is_read_for_an_hour(later: timedelta) -> None:
    assert TOKENS.read(TOKENS.issue(TOKEN, now=NOW), now=NOW + later) == TOKEN


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=365)])
def test_a_token_ends_after_an_hour(later: timedelta) -> None:
    assert TOKENS.read(TOKENS.issue(TOKEN, now=NOW), now=NOW + later) is None


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.e30", "\0"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert TOKENS.read(text, now=NOW) is None


def test_a_token_of_another_hub_is_none() -> None:
    assert JwtSourceTokens(bytes(32)).read(TOKENS.issue(TOKEN, now=NOW), now=NOW) is None


@pytest.mark.parametrize("changed", [{"sub": "b" * 12}, {"exp": 10**12}, {"aud": "other"}])
def test_a_changed_token_is_none(changed: dict[str, Any]) -> None:
    token = TOKENS.issue(TOKEN, now=NOW)
    head, _, seal = token.split(".")
    claims = jwt.decode(token, options={"verify_signature": False}) | changed
    body = jwt.encode(claims, "any key that has 32 bytes or more").split(".")[1]

    assert TOKENS.read(f"{head}.{body}.{seal}", now=NOW) in {None, SourceToken(NO_ID, TOKEN.token_id)}


def test_an_unsigned_token_is_none() -> None:
    claims = jwt.decode(TOKENS.issue(TOKEN, now=NOW), options={"verify_signature": False})

    assert TOKENS.read(jwt.encode(claims, "", algorithm="none"), now=NOW) is None

"""Calls of the connect API, and what comes of them."""

import uuid
from typing import Any

import httpx


def unique() -> str:
    return uuid.uuid4().hex


def create(connect: httpx.Client, **given: Any) -> dict[str, Any]:
    """The contact that was created."""
    answer = connect.post("contacts", json=given)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def found(connect: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = connect.get("contacts", params={"query": query})
    assert answer.status_code == 200, answer.text
    contacts: list[dict[str, Any]] = answer.json()
    return contacts


def refused(answer: httpx.Response, status: int, text: str) -> None:
    assert (answer.status_code, answer.json()) == (status, {"error": text})
    assert answer.headers["content-type"] == "application/json"

"""Calls of a contact source, and what comes of them."""

from collections.abc import Iterator
from typing import Any

import httpx


def refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.json().keys() == {"error"}
    assert ("www-authenticate" in answer.headers) == (status == 401)


def fill(connect: httpx.Client, count: int) -> None:
    for number in range(count):
        assert connect.post("contacts", json={"firstName": f"N{number}", "lastName": "Doe"}).status_code == 200


def pages(source: httpx.Client, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Every page, until one says that there is no other."""
    for page in range(1, 1000):
        answer = source.get(path, params={**parameters, "page": page})
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if not answer.json()["has_more"]:
            return

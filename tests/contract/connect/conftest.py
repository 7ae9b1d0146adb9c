"""A workspace and a caller of its connect API."""

from collections.abc import Iterator

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.spaces import Space, create_space


@pytest.fixture(scope="module")
def space(hub: Hub, admin: httpx.Client) -> Space:
    """One for all tests of a file."""
    return create_space(hub, admin)


@pytest.fixture(scope="module")
def connect(space: Space) -> Iterator[httpx.Client]:
    """A caller of the connect API."""
    with space.connect() as http:
        yield http

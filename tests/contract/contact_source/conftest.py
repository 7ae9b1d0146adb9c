"""A workspace and a caller of its contact source."""

from collections.abc import Iterator

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.spaces import Access, Space, create_space


@pytest.fixture
def space(hub: Hub, admin: httpx.Client) -> Space:
    """An empty one for each test."""
    return create_space(hub, admin)


@pytest.fixture(scope="module")
def shared(hub: Hub, admin: httpx.Client) -> Space:
    """One for all tests of a file."""
    return create_space(hub, admin)


@pytest.fixture(scope="module")
def access(shared: Space) -> Access:
    """To the shared workspace."""
    return shared.access()


@pytest.fixture(scope="module")
def caller(shared: Space, access: Access) -> Iterator[httpx.Client]:
    """Who asks the shared workspace."""
    with shared.source(access) as http:
        yield http


@pytest.fixture
def source(space: Space) -> Iterator[httpx.Client]:
    """Who asks the workspace of this test."""
    with space.source() as http:
        yield http


@pytest.fixture
def connect(space: Space) -> Iterator[httpx.Client]:
    """Who writes to the workspace of this test."""
    with space.connect() as http:
        yield http

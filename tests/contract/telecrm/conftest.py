"""A workspace, and callers of its telecrm APIs."""

from collections.abc import Iterator

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.contract.telecrm.caller import SPEC, Telecrm
from tests.fixtures.spaces import Space, create_space


@pytest.fixture(scope="module")
def space(hub: Hub, admin: httpx.Client) -> Space:
    """One for all tests of a file."""
    return create_space(hub, admin, **SPEC)


@pytest.fixture(scope="module")
def telecrm(space: Space) -> Iterator[Telecrm]:
    """A caller of its Sync API."""
    with Telecrm.of(space) as caller:
        yield caller

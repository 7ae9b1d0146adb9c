"""The browser, and what the console is used on. Only these tests pay for a browser."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from libs.cli.stack.hub import Hub
from tests.fakes.picky import PickyReceiver, picky_receiver
from tests.fixtures.browser import browser, chromium
from tests.fixtures.console import console
from tests.fixtures.partner import Partner, create_client

__all__ = ["browser", "chromium", "console"]

HURRY = {"first_delay": "0.05s", "max_delay": "0.05s", "max_attempts": 2}
MakeHook = Callable[..., str]
_INSTALL_SECONDS = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Lets whoever comes first to a fresh machine install its browser."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(_INSTALL_SECONDS))


@pytest.fixture
def receiver() -> Iterator[PickyReceiver]:
    with picky_receiver() as running:
        yield running


@pytest.fixture
def make_hook(admin: httpx.Client) -> MakeHook:
    """Makes webhooks, which are tried twice in quick succession, and gives their ids."""

    def make(url: str, *, name: str = "Shop CRM", **settings: Any) -> str:
        body = {"name": name, "kind": "DESTINATION_KIND_WEBHOOK", "url": url, "retry": HURRY, **settings}
        return str(admin.post("/admin/v1/destinations", json=body).raise_for_status().json()["destination"]["id"])

    return make


@pytest.fixture
def hook(make_hook: MakeHook, receiver: PickyReceiver) -> str:
    """A webhook at the receiver."""
    return make_hook(receiver.url)


@pytest.fixture
def sender(hub: Hub, admin: httpx.Client, hook: str) -> Iterator[Partner]:
    """A client whose contacts go there."""
    with create_client(hub, admin, rate=1000, destination_ids=[hook]) as client:
        yield client

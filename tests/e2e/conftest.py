"""One real hub for all end-to-end tests of a run: Envoy, NATS, every service. Each test brings its own client."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from libs.cli.stack.hub import Hub, running_hub
from tests.e2e.partner import Partner, create_client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps all end-to-end tests on one worker, so that there is one hub and not one for each."""
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("hub"))


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The running hub. Webhooks may be on loopback."""
    data = tmp_path_factory.mktemp("hub")
    with running_hub(data, port=0, settings={"CONTACTSYNC_EGRESS_ALLOW": "127.0.0.0/8"}) as running:
        yield running


@pytest.fixture(scope="session")
def admin(hub: Hub) -> Iterator[httpx.Client]:
    """The operator."""
    key = json.loads(hub.plan.folder.credentials.read_text())["admin"]["api_key"]
    with httpx.Client(
        base_url=hub.url, headers={"Authorization": f"Bearer {key}"}, timeout=30, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def partner(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    """A client of its own, with a rate that no test meets by accident."""
    with create_client(hub, admin, rate=1000) as client:
        yield client


@pytest.fixture
def data(hub: Hub) -> Path:
    """The hub's data folder."""
    return hub.plan.folder.root

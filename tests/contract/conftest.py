"""The hub under bad input: which processes it is, and one client for many requests."""

from collections.abc import Iterator

import httpx
import psutil
import pytest

from libs.cli.stack.hub import Hub
from tests.fixtures.partner import Partner, create_client


@pytest.fixture(scope="module")
def processes(hub: Hub) -> Iterator[None]:
    """None of the hub's processes may be another one afterwards."""
    before = running(hub)
    yield
    assert running(hub) == before


@pytest.fixture(scope="module")
def steady_partner(hub: Hub, admin: httpx.Client) -> Iterator[Partner]:
    """One client for all tests of a file."""
    with create_client(hub, admin, rate=10_000) as client:
        yield client


def running(hub: Hub) -> set[tuple[int, float]]:
    """The processes that listen on the hub's ports, with their times of birth."""
    ports = {int(address.rsplit(":", 1)[1]) for address in hub.plan.instance_addresses().values()} | {hub.plan.port}
    found = set()
    for process in psutil.process_iter():
        try:
            listening = {
                each.laddr.port for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN
            }
        except psutil.Error:
            continue
        if listening & ports:
            found.add((process.pid, process.create_time()))
    assert len(found) == len(ports)
    return found

"""The operator's side of delivery on memory, SQLite and PostgreSQL."""

import pytest

from tests.conformance.delivery.operating import Store, open_store
from tests.fixtures.databases import Databases


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> Store:
    return await open_store(request.param, databases)

"""Ingestion on memory, SQLite and PostgreSQL."""

import pytest

from services.ingestion.store.sql import MIGRATIONS, SqlStore
from services.ingestion.wire.contacts_json import phones_of
from tests.fixtures.databases import Databases
from tests.unit.ingestion.world import PATIENCE, World, memory_store


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def world(request: pytest.FixtureRequest, databases: Databases) -> World:
    if request.param == "memory":
        return World(memory_store())
    database = await databases.open(request.param, MIGRATIONS)
    return World(SqlStore(database, phones_of=phones_of, patience=PATIENCE))

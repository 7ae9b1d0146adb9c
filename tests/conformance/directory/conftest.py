"""The book on every store that there is."""

import pytest

from services.directory.main import MIGRATIONS
from services.directory.store.stores import memory_stores, sql_stores
from tests.fixtures.book import Book, Ticking
from tests.fixtures.databases import Databases


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, databases: Databases) -> Book:
    clock = Ticking()
    if request.param == "memory":
        return Book(memory_stores(clock=clock), clock)
    database = await databases.open(request.param, MIGRATIONS)
    return Book(await sql_stores(database, clock=clock), clock)

"""The book on every store that there is."""

import pytest

from services.directory.main import MIGRATIONS
from services.directory.store.memory import MemoryBook
from services.directory.store.sql import SqlBook
from tests.fixtures.book import Book
from tests.fixtures.databases import Databases


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def book(request: pytest.FixtureRequest, databases: Databases) -> Book:
    if request.param == "memory":
        return Book(MemoryBook())
    return Book(SqlBook(await databases.open(request.param, MIGRATIONS)))

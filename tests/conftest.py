"""Fixtures for all tests."""

from tests.fixtures.databases import database_kind, databases, open_fresh, postgresql_server

__all__ = ["database_kind", "databases", "open_fresh", "postgresql_server"]

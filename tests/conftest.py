"""Fixtures for all tests."""

from tests.fixtures.databases import database_kind, databases, open_fresh, postgresql_server
from tests.fixtures.nats import nats_server
from tests.fixtures.otlp import otlp

__all__ = ["database_kind", "databases", "nats_server", "open_fresh", "otlp", "postgresql_server"]

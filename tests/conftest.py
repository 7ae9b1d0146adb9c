"""Fixtures for all tests."""

import os
import sys

import pytest
from hypothesis import HealthCheck, settings

from tests.fixtures.databases import database_kind, databases, open_fresh, postgresql_server
from tests.fixtures.hub import admin, data, hub, keep_on_one_worker, partner
from tests.fixtures.jaeger import jaeger_program, keep_for_the_end
from tests.fixtures.nats import nats_server
from tests.fixtures.nats_cluster import nats_cluster
from tests.fixtures.otlp import otlp
from tests.fixtures.places import hubs_on_postgresql
from tests.fixtures.ports import keep_to_own_range
from tests.fixtures.process_wide import process_wide

__all__ = [
    "admin",
    "data",
    "database_kind",
    "databases",
    "hub",
    "hubs_on_postgresql",
    "jaeger_program",
    "nats_cluster",
    "nats_server",
    "open_fresh",
    "otlp",
    "partner",
    "postgresql_server",
    "process_wide",
]


# How long an example takes says nothing here: others share the machine. Every run tries the same examples, so that none
# fails by chance where the one before passed; the long forms look for others.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_configure(config: pytest.Config) -> None:
    """Lets the processes that tests start share their compiled modules where the environment keeps none."""
    cache = getattr(config, "cache", None)  # not there under -p no:cacheprovider
    if sys.dont_write_bytecode and cache is not None:
        sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"] = str(cache.mkdir("bytecode"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    keep_to_own_range()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One hub for a run, and Jaeger last; xdist looks for the marks in this same hook."""
    keep_on_one_worker(items)
    keep_for_the_end(items)

"""What a service imports at start is paid six times, in memory and in time: nothing that it does not use."""

import subprocess
import sys

import pytest

from libs.cli.stack.plan import SERVICES

SPARED = {"rich", "pygments", "aiohttp", "alembic", "asyncpg", "opentelemetry.sdk", "opentelemetry.exporter", "psutil"}
USED = {"delivery": {"aiohttp"}, "source_polling": {"aiohttp"}}


@pytest.mark.parametrize("service", SERVICES)
def test_service_imports_no_more_than_it_uses(service: str) -> None:
    script = f"import sys, services.{service}.main; print(*(name for name, there in sys.modules.items() if there))"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert set(told.stdout.split()) & (SPARED - USED.get(service, set())) == set()


def test_console_imports_neither_a_server_of_grpc_nor_a_database() -> None:
    script = "import sys, services.console.main; print(*(name for name, there in sys.modules.items() if there))"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert set(told.stdout.split()) & (SPARED | {"protovalidate", "sqlalchemy", "nats"}) == set()

"""What the migrations of each service make is what its tables say."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine
from sqlmodel import SQLModel

from libs.storage import open_database

SERVICES = Path(__file__).parents[3] / "services"
OWNERS = sorted(folder.parent.name for folder in SERVICES.glob("*/migrations"))


def _differences(path: Path, metadata: MetaData) -> Iterator[str]:
    """But for types and indexes: text is TEXT here and VARCHAR there, and indexes are the migrations' own."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        for difference in compare_metadata(context, metadata):
            kind = str(difference[0][0] if isinstance(difference[0], tuple) else difference[0])
            if not kind.endswith("_index"):
                yield str(difference)
    engine.dispose()


@pytest.mark.parametrize("service", OWNERS)
async def test_migrations_and_tables_agree(service: str, tmp_path: Path) -> None:
    tables = importlib.import_module(f"services.{service}.store.tables")
    [base] = [found for found in vars(tables).values() if isinstance(found, type) and SQLModel in found.__bases__]
    assert issubclass(base, SQLModel)
    path = tmp_path / "fresh.sqlite3"
    database = await open_database(f"sqlite:///{path}", migrations=SERVICES / service / "migrations")
    await database.close()

    assert [*_differences(path, base.metadata)] == []

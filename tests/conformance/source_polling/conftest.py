from dataclasses import replace

import pytest

from services.source_polling.domain.source import Source, SourceId
from services.source_polling.store.memory import MemoryStore
from services.source_polling.store.runs import SqlRuns
from services.source_polling.store.sources import MIGRATIONS, SqlSources
from services.source_polling.store.steps import SqlLedger
from services.source_polling.vault import Vault
from tests.conformance.source_polling.store import KEPT, MINUTE, Store
from tests.fixtures.databases import Databases
from tests.unit.source_polling.world import NOW, a_source


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> Store:
    if request.param == "memory":
        memory = MemoryStore(kept_runs=KEPT)
        return Store(memory, memory, memory)
    database = await databases.open(request.param, MIGRATIONS)
    return Store(SqlSources(database, cipher=Vault(b"m" * 32)), SqlRuns(database, kept_runs=KEPT), SqlLedger(database))


@pytest.fixture
async def source(store: Store) -> Source:
    source = replace(
        a_source(next_run_at=NOW + MINUTE, destination_ids=("directory", "hook")), source_id=SourceId("src_1")
    )
    assert await store.sources.put(source)
    return source

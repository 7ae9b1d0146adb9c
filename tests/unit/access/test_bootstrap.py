from collections.abc import Sequence

import pytest

from services.access.domain.client import Client
from services.access.domain.client_settings import Scope, WantedSettings
from services.access.domain.credentials import ADMIN_ID, FIRST_CLIENT_ID, Credentials
from services.access.domain.errors import (
    OperatorKeyChangedError,
)
from services.access.domain.key import make_key
from services.access.handler import Access, prove_keys
from services.access.store.memory import MemoryStore
from tests.unit.access.test_handler import holder
from tests.unit.access.worlds import World

SIGNING = WantedSettings(hmac=True)
STRANGER = make_key(b"\xff" * 40, client_id="client").text


class MemoryFile:
    """A credentials file, and a process that is killed at a write."""

    def __init__(self, *, killed: str = "") -> None:
        self.content: Credentials | None = None
        self.killed = killed

    def keep(self, credentials: Credentials) -> Credentials:
        if self.killed == "before the write":
            raise KeyboardInterrupt
        self.content = self.content or credentials
        if self.killed == "after the write":
            raise KeyboardInterrupt
        return self.content

    def forget(self) -> None:
        self.content = None


class BlindStore(MemoryStore):
    """As every replica sees it that begins while another one does."""

    async def list_all(self) -> list[Client]:
        return []


class DyingStore(MemoryStore):
    async def add_first(self, clients: Sequence[Client]) -> bool:
        raise KeyboardInterrupt


async def assert_first_keys_open(access: Access, file: MemoryFile) -> None:
    assert file.content is not None
    assert await holder(access, file.content.admin.text) == ADMIN_ID
    assert await holder(access, file.content.client.text) == FIRST_CLIENT_ID


async def test_a_new_hub_gets_an_admin_and_a_client() -> None:
    access, file = World().access(), MemoryFile()

    assert await access.bootstrap(file)

    await assert_first_keys_open(access, file)
    admin, first = [await access.get(client_id) for client_id in (ADMIN_ID, FIRST_CLIENT_ID)]
    assert admin.settings.scopes == (Scope.IMPORT, Scope.READ, Scope.ADMIN)
    assert first.settings.scopes == (Scope.IMPORT, Scope.READ)


@pytest.mark.parametrize("killed", ["before the write", "after the write"])
async def test_a_start_killed_around_the_write_is_made_good_by_the_next(killed: str) -> None:
    world, file = World(), MemoryFile(killed=killed)
    with pytest.raises(KeyboardInterrupt):
        await world.access().bootstrap(file)

    file.killed = ""
    assert await world.access().bootstrap(file)

    await assert_first_keys_open(world.access(), file)


async def test_a_start_killed_before_the_commit_is_made_good_by_the_next() -> None:
    file = MemoryFile()
    with pytest.raises(KeyboardInterrupt):
        await World(store=DyingStore()).access().bootstrap(file)
    in_file = file.content

    world = World()
    world.randomness.draw(1)  # so that the keys drawn now are other ones
    assert await world.access().bootstrap(file)

    assert file.content == in_file
    await assert_first_keys_open(world.access(), file)


async def test_of_replicas_that_begin_at_once_one_has_a_file_and_its_keys_open() -> None:
    world, kept, other = World(store=BlindStore()), MemoryFile(), MemoryFile()

    assert await world.access().bootstrap(kept)
    assert not await world.access().bootstrap(other)
    assert not await world.access().bootstrap(kept)  # as replicas do that share one file

    assert other.content is None
    await assert_first_keys_open(world.access(), kept)


async def test_a_hub_with_clients_is_left_alone_with_and_without_a_file() -> None:
    access, file = World().access(), MemoryFile()
    await access.create(name="a", settings=WantedSettings())

    assert not await access.bootstrap(file)

    assert file.content is None


async def test_another_pepper_than_the_first_is_refused() -> None:
    store = MemoryStore()
    await prove_keys(store, {"pepper": b"p", "master_key": b"m"})
    await prove_keys(store, {"pepper": b"p", "master_key": b"m"})

    with pytest.raises(OperatorKeyChangedError) as refused:
        await prove_keys(store, {"pepper": b"q", "master_key": b"m"})

    assert refused.value.purpose == "pepper"

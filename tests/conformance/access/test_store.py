"""What every store of access promises: in memory, on SQLite, on PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Protocol

import pytest

from services.access.domain.client import Client, ClientId, rotate
from services.access.domain.client_settings import ClientSettings, Duplicates, Scope
from services.access.domain.errors import KeyNotFoundError, TwoKeysLiveError
from services.access.domain.key import NO_KEY_ID, KeyId
from services.access.ports import KeyProofs, Store
from services.access.store.memory import MemoryStore
from services.access.store.sql import MIGRATIONS, SqlStore
from tests.fixtures.databases import Databases
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.unit.access.worlds import HOUR, KEY_IDS, NOW, a_client, a_key

A, B = ClientId("client-a"), ClientId("client-b")


class WholeStore(Store, KeyProofs, Protocol):
    """Everything that access stores."""


async def when_used(store: Store, *, key: int) -> Client:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (client := await store.find(A)) is None or client.keys[key].last_used_at is None:  # noqa: ASYNC110  # unannounced
            await asyncio.sleep(0.01)
    return client


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> WholeStore:
    if request.param == "memory":
        return MemoryStore()
    return SqlStore(await databases.open(request.param, MIGRATIONS))


async def test_a_client_comes_back_as_it_was_added(store: Store) -> None:
    settings = ClientSettings(
        scopes=(Scope.ADMIN,),
        default_region="IN",
        destination_ids=("crm", "книга".encode().hex()),
        duplicates=Duplicates.KEEP_LAST,
        rate=0.1,
        allowed_networks=(ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")),
        hmac=True,
        workspace_id="w",
    )
    old = replace(a_key(), sealed_secret=bytes(range(60)), expires_at=NOW + HOUR, last_used_at=NOW)
    client = a_client(old, a_key(KEY_IDS[1], created_at=NOW + HOUR), name="Отдел 'A'", settings=settings)

    await store.add(replace(client, enabled=False))

    assert await store.find(A) == replace(client, enabled=False)


async def test_a_client_that_is_not_there_is_none(store: Store) -> None:
    assert await store.find(A) is None
    assert await store.list_all() == []
    assert await store.change(A, lambda client: client) is None


async def test_clients_are_listed_by_name_then_id(store: Store) -> None:
    names = [("client-c", "b"), ("client-b", "B"), ("client-a", "b"), ("client-d", "я")]
    for index, (client_id, name) in enumerate(names):
        await store.add(a_client(a_key(KEY_IDS[index]), client_id=client_id, name=name))

    assert [client.client_id for client in await store.list_all()] == ["client-b", "client-a", "client-c", "client-d"]


@pytest.mark.parametrize("taken", ["client", "key"])
async def test_a_taken_id_is_not_added_again(store: Store, taken: str) -> None:
    await store.add(a_client())
    second = a_client(a_key(KEY_IDS[1])) if taken == "client" else a_client(client_id="client-b")

    with pytest.raises(Exception, match=r"."):
        await store.add(second)

    assert await store.list_all() == [a_client()]


async def test_holders_are_found_by_live_and_ended_keys_alike(store: Store) -> None:
    one = a_client(a_key(expires_at=NOW), a_key(KEY_IDS[1], created_at=NOW + HOUR))
    two = a_client(a_key(KEY_IDS[2]), client_id="client-b")
    for client in (one, two):
        await store.add(client)

    holders = await store.find_holders([KEY_IDS[0], KEY_IDS[2], KEY_IDS[3], NO_KEY_ID])

    assert holders == {KEY_IDS[0]: one, KEY_IDS[2]: two}


@pytest.mark.parametrize("count", [0, 1, 256])
async def test_holders_of_any_number_of_keys_are_asked_for_at_once(store: Store, count: int) -> None:
    await store.add(a_client())

    holders = await store.find_holders(
        [KeyId(f"{number:012}") for number in range(count - 1)] + KEY_IDS[: min(count, 1)]
    )

    assert len(holders) == min(count, 1)


async def test_a_change_is_seen_at_once_and_tells_what_was(store: Store) -> None:
    before = a_client(a_key(), a_key(KEY_IDS[1], created_at=NOW + HOUR))
    await store.add(before)
    new_key = replace(a_key(KEY_IDS[2], created_at=NOW + 2 * HOUR), sealed_secret=b"sealed")
    ending = replace(before.keys[1], expires_at=NOW + 3 * HOUR, sealed_secret=b"also")
    after = replace(
        before, name="New", enabled=False, settings=ClientSettings(rate=5.0, hmac=True), keys=(ending, new_key)
    )

    changed = await store.change(A, lambda client: after)

    assert changed is not None
    assert (changed.before, changed.after) == (before, after)
    assert await store.find(A) == after
    assert await store.find_holders(KEY_IDS[:3]) == {KEY_IDS[1]: after, KEY_IDS[2]: after}


async def test_a_change_leaves_other_clients(store: Store) -> None:
    other = a_client(a_key(KEY_IDS[1]), client_id="client-b")
    for client in (a_client(), other):
        await store.add(client)

    await store.change(A, lambda client: replace(client, enabled=False, keys=(a_key(KEY_IDS[2]),)))

    assert await store.find(B) == other


async def test_a_decision_that_raises_changes_nothing(store: Store) -> None:
    await store.add(a_client())

    def decide(client: Client) -> Client:
        raise KeyNotFoundError

    with pytest.raises(KeyNotFoundError):
        await store.change(A, decide)

    assert await store.find(A) == a_client()


async def test_of_many_rotations_at_once_one_finds_room(store: Store) -> None:
    await store.add(a_client())

    async def one(key_id: KeyId) -> bool:
        try:
            await store.change(
                A, lambda client: rotate(client, key=a_key(key_id, created_at=NOW + HOUR), overlap=HOUR, now=NOW + HOUR)
            )
        except TwoKeysLiveError:
            return False
        return True

    won = await asyncio.gather(*(one(key_id) for key_id in KEY_IDS[1:9]))

    after = await store.find(A)
    assert after is not None
    assert won.count(True) == 1
    assert [key.key_id for key in after.keys] == [KEY_IDS[0], KEY_IDS[1 + won.index(True)]]


async def test_the_first_clients_are_added_to_an_empty_store_alone(store: Store) -> None:
    first, second = a_client(), a_client(a_key(KEY_IDS[1]), client_id="client-b")

    added = await store.add_first([first, second])
    again = await store.add_first([a_client(a_key(KEY_IDS[2]), client_id="client-c")])

    assert (added, again) == (True, False)
    assert await store.list_all() == [first, second]


async def test_of_many_first_clients_at_once_one_set_is_added_whole(store: Store) -> None:
    sets = [[a_client(a_key(KEY_IDS[n])), a_client(a_key(KEY_IDS[n + 1]), client_id="client-b")] for n in (0, 2, 4, 6)]

    added = await asyncio.gather(*(store.add_first(clients) for clients in sets))

    assert added.count(True) == 1
    assert await store.list_all() == sets[added.index(True)]


async def test_a_noted_use_is_seen_in_the_end_and_never_goes_back(store: Store) -> None:
    await store.add(a_client(a_key(), a_key(KEY_IDS[1], created_at=NOW + HOUR)))

    for later in (HOUR, timedelta(0)):
        store.note_use([KEY_IDS[1], KEY_IDS[7]], at=NOW + later)

    client = await when_used(store, key=1)
    assert [key.last_used_at for key in client.keys] == [None, NOW + HOUR]


async def test_a_change_keeps_a_use_noted_meanwhile(store: Store) -> None:
    await store.add(a_client())
    before = await store.find(A)
    assert before is not None
    store.note_use([KEY_IDS[0]], at=NOW)

    await store.change(A, lambda client: replace(client, keys=(replace(client.keys[0], expires_at=NOW + HOUR),)))
    await store.change(A, lambda client: client)

    client = await when_used(store, key=0)
    assert client.keys[0] == replace(before.keys[0], expires_at=NOW + HOUR, last_used_at=NOW)


async def test_the_first_fingerprint_of_a_purpose_is_remembered(store: WholeStore) -> None:
    answers = [
        await store.remember(purpose, value) for purpose, value in (("a", b"1"), ("a", b"2"), ("b", b"3"), ("a", b"2"))
    ]

    assert answers == [b"1", b"1", b"3", b"1"]

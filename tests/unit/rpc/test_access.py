"""Kept answers of an authenticator: never older than the law allows."""

import asyncio
from ipaddress import ip_network

import pytest
from contactsync.access.v1 import access_service_pb2 as pb
from contactsync.access.v1 import client_pb2
from contactsync.policy.v1 import policy_pb2

from libs.rpc import ClientCaller, ClientId, Duplicates, Scope, cached_authenticator
from libs.rpc.access import _client

CLIENT = ClientCaller(ClientId("a"), frozenset({Scope.READ}))


class Store:
    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.clients = {"good": CLIENT}
        self.takes = 0.0

    async def authenticate(self, key: str) -> ClientCaller | None:
        self.asked.append(key)
        found = self.clients.get(key)
        self.now += self.takes
        return found


@pytest.fixture
def store() -> Store:
    return Store()


async def test_client_is_kept_for_less_than_five_seconds(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    assert await authenticate("good") is CLIENT
    store.clients.clear()

    store.now = 4.9
    assert await authenticate("good") is CLIENT
    store.now = 5.0
    assert await authenticate("good") is None
    assert store.asked == ["good", "good"]


async def test_answer_ages_from_its_question(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    store.takes = 3.0
    await authenticate("good")

    store.now = 5.0
    await authenticate("good")

    assert store.asked == ["good", "good"]


async def test_unknown_key_is_kept_for_a_second(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    assert await authenticate("new") is None
    store.clients["new"] = CLIENT

    store.now = 0.9
    assert await authenticate("new") is None
    store.now = 1.0
    assert await authenticate("new") is CLIENT


async def test_unknown_keys_do_not_displace_known_ones(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    await authenticate("good")
    for number in range(5000):
        await authenticate(f"bad {number}")
    store.asked.clear()

    await authenticate("good")
    await authenticate("bad 0")

    assert store.asked == ["bad 0"]


async def test_failure_is_not_kept(store: Store) -> None:
    fails = [True, False]

    async def authenticate_once(key: str) -> ClientCaller | None:
        if fails.pop(0):
            raise ConnectionError
        return await store.authenticate(key)

    authenticate = cached_authenticator(authenticate_once, now=lambda: store.now)
    with pytest.raises(ConnectionError):
        await authenticate("good")

    assert await authenticate("good") is CLIENT


def test_client_of_the_contract_is_read_whole() -> None:
    settings = client_pb2.ClientSettings(
        scopes=[policy_pb2.SCOPE_IMPORT, policy_pb2.SCOPE_ADMIN],
        default_region="KZ",
        destination_ids=["d"],
        duplicates=client_pb2.DUPLICATE_POLICY_KEEP_LAST,
        rate=2.5,
        allowed_networks=["10.0.0.1/8"],
        hmac=True,
    )
    client = client_pb2.Client(id="a", settings=settings, enabled=True)

    read = _client(pb.AuthenticateResult(client=client, hmac_secrets=["s1", "s2"]))

    assert read == ClientCaller(
        client_id=ClientId("a"),
        scopes=frozenset({Scope.IMPORT, Scope.ADMIN}),
        default_region="KZ",
        destination_ids=("d",),
        duplicates=Duplicates.KEEP_LAST,
        rate=2.5,
        allowed_networks=(ip_network("10.0.0.0/8"),),
        signs=True,
        secrets=(b"s1", b"s2"),
    )
    assert "s1" not in repr(read)


def test_no_client_and_a_client_turned_off_look_alike() -> None:
    assert _client(pb.AuthenticateResult()) is None
    assert _client(pb.AuthenticateResult(client=client_pb2.Client(id="a", enabled=False))) is None


@pytest.mark.parametrize(
    ("given", "scopes"),
    [([], {Scope.IMPORT, Scope.READ}), ([Scope.READ, 99], {Scope.READ}), ([99], set())],
    ids=["none", "one of a newer access too", "only one of a newer access"],
)
def test_a_scope_of_a_newer_access_opens_nothing_and_breaks_nothing(given: list[int], scopes: set[Scope]) -> None:
    client = client_pb2.Client(id="a", enabled=True)
    client.settings.scopes.extend(given)  # type: ignore[arg-type]  # numbers that this release has no name for

    caller = _client(pb.AuthenticateResult.FromString(pb.AuthenticateResult(client=client).SerializeToString()))

    assert caller is not None
    assert caller.scopes == scopes


async def test_a_key_in_use_is_asked_for_again_before_its_answer_is_too_old(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    await authenticate("good")

    store.now = 2.9
    await authenticate("good")
    await asyncio.sleep(0)
    young = list(store.asked)
    store.now = 3.1
    await asyncio.gather(authenticate("good"), authenticate("good"))
    await asyncio.sleep(0)
    store.now = 8.0
    assert await authenticate("good") is CLIENT

    assert (young, store.asked) == (["good"], ["good", "good"])


async def test_a_key_that_was_revoked_opens_nothing_once_that_is_known(store: Store) -> None:
    authenticate = cached_authenticator(store.authenticate, now=lambda: store.now)
    await authenticate("good")
    store.clients.clear()

    store.now = 3.1
    await authenticate("good")
    await asyncio.sleep(0)

    assert await authenticate("good") is None


async def test_access_that_does_not_answer_ahead_of_time_costs_nobody_anything_yet(store: Store) -> None:
    answers = [True, False, True]

    async def authenticate_now_and_then(key: str) -> ClientCaller | None:
        if not answers.pop(0):
            raise ConnectionError
        return await store.authenticate(key)

    authenticate = cached_authenticator(authenticate_now_and_then, now=lambda: store.now)
    await authenticate("good")

    store.now = 3.1
    await authenticate("good")
    await asyncio.sleep(0)
    answers.insert(0, True)

    assert await authenticate("good") is CLIENT

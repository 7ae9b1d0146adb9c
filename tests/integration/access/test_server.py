"""The typed service behind its door, over real gRPC."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2 as pb
from contactsync.access.v1 import access_service_pb2_grpc, client_pb2
from contactsync.policy.v1 import policy_pb2
from google.protobuf.duration_pb2 import Duration

from libs.rpc import (
    ClientCaller,
    Door,
    Identity,
    Peer,
    Registration,
    RpcServer,
    RpcSettings,
    cached_authenticator,
    remote_authenticator,
)
from services.access.domain.client_settings import ClientSettings, Duplicates, Scope, WantedSettings
from services.access.domain.credentials import Credentials
from services.access.handler import Access, Authenticated
from services.access.server import AccessServicer, local_authenticator
from services.access.server.authenticator import caller_of
from services.access.server.mapping import DUPLICATES, SCOPES
from tests.unit.access.worlds import HOUR, NOW, World, a_client

SERVICE_KEY = b"s" * 32
DESCRIPTOR = pb.DESCRIPTOR.services_by_name["AccessService"]


class HeldCredentials:
    held: Credentials

    def keep(self, credentials: Credentials) -> Credentials:
        self.held = credentials
        return credentials

    def forget(self) -> None:
        del self.held


@dataclass
class Hub:
    world: World
    access: Access
    address: str
    stub: access_service_pb2_grpc.AccessServiceStub
    admin: tuple[tuple[str, str], ...]
    client: tuple[tuple[str, str], ...]
    service: tuple[tuple[str, str], ...]


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    world, file = World(), HeldCredentials()
    access = world.access()
    await access.bootstrap(file)
    door = Door(
        identity=Identity("access", SERVICE_KEY), authenticate=cached_authenticator(local_authenticator(access))
    )
    registration = Registration(
        DESCRIPTOR, access_service_pb2_grpc.add_AccessServiceServicer_to_server, AccessServicer(access)
    )
    server = RpcServer(RpcSettings(listen="127.0.0.1:0"), [registration], door=door)
    await server.start()
    address = f"127.0.0.1:{server.port}"
    async with grpc.aio.insecure_channel(address) as channel:
        yield Hub(
            world,
            access,
            address,
            access_service_pb2_grpc.AccessServiceStub(channel),
            admin=bearer(file.held.admin.text),
            client=bearer(file.held.client.text),
            service=(("x-contactsync-service", Identity("ingestion", SERVICE_KEY).token("access")),),
        )
    await server.stop()


def bearer(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)


async def test_an_operator_takes_a_client_through_its_life(hub: Hub) -> None:
    settings = client_pb2.ClientSettings(default_region="IN", rate=2.5, hmac=True, allowed_networks=["10.0.0.0/8"])
    created = await hub.stub.CreateClient(pb.CreateClientRequest(name="Partner", settings=settings), metadata=hub.admin)
    client_id = created.client.id
    hub.world.clock.moment += HOUR
    rotated = await hub.stub.RotateKey(
        pb.RotateKeyRequest(client_id=client_id, overlap=Duration(seconds=60)), metadata=hub.admin
    )
    updated = await hub.stub.UpdateClient(
        pb.UpdateClientRequest(client_id=client_id, enabled=False), metadata=hub.admin
    )
    revoked = await hub.stub.RevokeKeys(
        pb.RevokeKeysRequest(client_id=client_id, key_id=rotated.client.keys[0].key_id), metadata=hub.admin
    )
    got = await hub.stub.GetClient(pb.GetClientRequest(client_id=client_id), metadata=hub.admin)
    listed = await hub.stub.ListClients(pb.ListClientsRequest(), metadata=hub.admin)

    assert created.hmac_secret
    assert rotated.hmac_secret not in {"", created.hmac_secret}
    assert rotated.client.keys[0].expires_at.ToDatetime(NOW.tzinfo) == NOW + HOUR + timedelta(minutes=1)
    assert not updated.client.enabled
    assert updated.client.settings.rate == 2.5
    assert revoked.client.keys[0].expires_at.ToDatetime(NOW.tzinfo) == NOW + HOUR
    assert not revoked.client.keys[1].HasField("expires_at")
    assert got.client == revoked.client
    assert [client.name for client in listed.clients] == ["Administrator", "Default", "Partner"]


async def test_absent_settings_are_all_defaults(hub: Hub) -> None:
    created = await hub.stub.CreateClient(pb.CreateClientRequest(name="a"), metadata=hub.admin)

    assert created.client.settings == client_pb2.ClientSettings(
        scopes=[policy_pb2.SCOPE_IMPORT, policy_pb2.SCOPE_READ],
        default_region="RU",
        destination_ids=["directory"],
        duplicates=client_pb2.DUPLICATE_POLICY_KEEP_ALL,
        rate=10.0,
    )
    assert created.client.enabled
    assert created.hmac_secret == ""


async def test_a_service_resolves_keys_in_the_order_asked(hub: Hub) -> None:
    created = await hub.access.create(name="a", settings=WantedSettings(hmac=True))

    answer = await hub.stub.AuthenticateMany(
        pb.AuthenticateManyRequest(keys=["rubbish", created.api_key]), metadata=hub.service
    )

    nobody, somebody = answer.results
    assert nobody == pb.AuthenticateResult()
    assert somebody.client.id == created.client.client_id
    assert list(somebody.hmac_secrets) == [created.hmac_secret]


async def test_another_services_door_knows_a_client_as_access_does(hub: Hub) -> None:
    wanted = WantedSettings(
        scopes=[Scope.READ],
        default_region="IN",
        destination_ids=["crm"],
        duplicates=Duplicates.KEEP_LAST,
        rate=3,
        allowed_networks=["2001:db8::/32"],
        hmac=True,
    )
    created = await hub.access.create(name="a", settings=wanted)
    peer = Peer(hub.address, identity=Identity("ingestion", SERVICE_KEY))

    over_grpc = await remote_authenticator(peer)(created.api_key)
    by_itself = await local_authenticator(hub.access)(created.api_key)
    await peer.close()

    assert isinstance(over_grpc, ClientCaller)
    assert over_grpc == by_itself


async def test_only_services_resolve_keys_and_only_admins_do_the_rest(hub: Hub) -> None:
    calls = [
        ("AuthenticateMany", pb.AuthenticateManyRequest(keys=["x"]), "service"),
        ("CreateClient", pb.CreateClientRequest(name="a"), "admin"),
        ("ListClients", pb.ListClientsRequest(), "admin"),
        ("GetClient", pb.GetClientRequest(client_id="admin"), "admin"),
        ("UpdateClient", pb.UpdateClientRequest(client_id="default", enabled=True), "admin"),
        ("RotateKey", pb.RotateKeyRequest(client_id="default"), "admin"),
        ("RevokeKeys", pb.RevokeKeysRequest(client_id="default", key_id="a"), "admin"),
    ]
    forged = (("x-contactsync-service", Identity("ingestion", b"x" * 32).token("access")),)
    callers = {"nobody": (), "forged": forged, "client": hub.client, "admin": hub.admin, "service": hub.service}

    let_in = set()
    for method, request, _ in calls:
        for name, metadata in callers.items():
            try:
                await getattr(hub.stub, method)(request, metadata=metadata)
            except grpc.aio.AioRpcError as refusal:
                if refusal.code() in {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED}:
                    continue
            let_in.add((type(request).__name__, name))

    assert len(calls) == len(DESCRIPTOR.methods)
    assert let_in == {(type(request).__name__, name) for _, request, name in calls}


@pytest.mark.parametrize(
    ("request_", "method", "code", "http_status"),
    [
        (pb.GetClientRequest(client_id="nobody"), "GetClient", grpc.StatusCode.NOT_FOUND, "404"),
        (pb.CreateClientRequest(name="  "), "CreateClient", grpc.StatusCode.INVALID_ARGUMENT, "400"),
        (pb.RotateKeyRequest(client_id="default"), "RotateKey", grpc.StatusCode.FAILED_PRECONDITION, "409"),
        (pb.RevokeKeysRequest(client_id="default", key_id="x"), "RevokeKeys", grpc.StatusCode.NOT_FOUND, "404"),
    ],
)
async def test_each_refusal_has_its_code(
    hub: Hub, request_: object, method: str, code: grpc.StatusCode, http_status: str
) -> None:
    await hub.access.rotate("default", overlap=None)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(hub.stub, method)(request_, metadata=hub.admin)

    assert refused.value.code() == code
    assert dict(refused.value.trailing_metadata())["x-http-status"] == http_status


async def test_the_contract_itself_refuses_what_it_forbids(hub: Hub) -> None:
    settings = client_pb2.ClientSettings(rate=-1, default_region="ru", scopes=[policy_pb2.SCOPE_UNSPECIFIED])

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await hub.stub.CreateClient(pb.CreateClientRequest(name="a", settings=settings), metadata=hub.admin)

    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_every_scope_and_policy_has_its_number_and_its_caller() -> None:
    scopes = set(policy_pb2.Scope.values()) - {policy_pb2.SCOPE_UNSPECIFIED}
    policies = set(client_pb2.DuplicatePolicy.values()) - {client_pb2.DUPLICATE_POLICY_UNSPECIFIED}

    callers = [
        caller_of(Authenticated(a_client(settings=ClientSettings(scopes=tuple(Scope), duplicates=policy)), ()))
        for policy in Duplicates
    ]

    assert set(SCOPES.values()) == scopes == {int(scope) for scope in callers[0].scopes}
    assert set(DUPLICATES.values()) == policies == {int(caller.duplicates) for caller in callers}

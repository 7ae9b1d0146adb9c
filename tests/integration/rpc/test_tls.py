"""TLS between services: both sides show a certificate of the hub's authority, and it must be the right one."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.ingestion.v1 import ingestion_service_pb2
from contactsync.ingestion.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from cryptography import x509

from libs.cli.stack.authority import Authority
from libs.rpc import Identity, Peer, PeerRefused, PeerUnavailable, RpcServer, Tls
from libs.rpc.tls import TlsFiles
from tests.integration.rpc.world import KEY, World, bearer, hear, make_server, service

NOW = datetime.now(UTC)
NAMES = ("ingestion", "delivery", "normalization", "partner")
FETCH = ingestion_service_pb2.FetchChunksRequest(chunk_ids=["c"])
JOB = ingestion_service_pb2.GetJobRequest(job_id="j")
SOON = timedelta(seconds=2)
"""For calls that nobody answers."""
LONG = timedelta(seconds=30)


class Watch:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Certified:
    """An authority with a certificate for each name."""

    def __init__(self, folder: Path, *, now: datetime = NOW) -> None:
        self.authority = Authority(folder)
        self.authority.issue(NAMES, now=now)
        self.watch = Watch()

    def files(self, name: str) -> TlsFiles:
        issued = self.authority.files(name)
        return issued.ca, issued.cert, issued.key

    def tls(self, name: str) -> Tls:
        return Tls(self.files(name), monotonic=self.watch)

    def renew(self, name: str, other: "Certified") -> None:
        """Puts another authority's files into the place of these."""
        for ours, theirs in zip(self.files(name), other.files(name), strict=True):
            shutil.copy(theirs, ours)
        self.watch.seconds += 10


@pytest.fixture
def hub(tmp_path: Path) -> Certified:
    return Certified(tmp_path / "certs")


@pytest.fixture
async def server(world: World, hub: Certified) -> AsyncIterator[RpcServer]:
    async with listening(world, hub.tls("ingestion")) as started:
        yield started


@asynccontextmanager
async def listening(world: World, tls: Tls) -> AsyncIterator[RpcServer]:
    started = make_server(world, tls=tls)
    await started.start()
    yield started
    await started.stop()


@asynccontextmanager
async def peer(
    server: RpcServer, tls: Tls, *, name: str = "delivery", callee: str = "ingestion"
) -> AsyncIterator[Peer]:
    opened = Peer(f"127.0.0.1:{server.port}", identity=Identity(name, KEY), callee=tls.to(callee))
    yield opened
    await opened.close()


async def fetch(caller: Peer, *, within: timedelta = LONG) -> Any:
    return await caller.call(IngestionServiceStub(caller.channel).FetchChunks, FETCH, timeout=within)


async def refusal(
    server: RpcServer, tls: Tls, *, name: str = "delivery", callee: str = "ingestion", within: timedelta = SOON
) -> Exception:
    """Why the call came to nothing."""
    async with peer(server, tls, name=name, callee=callee) as caller:
        with pytest.raises((PeerRefused, PeerUnavailable)) as refused:
            await fetch(caller, within=within)
    return refused.value


async def test_service_with_its_own_certificate_is_let_in(world: World, hub: Certified, server: RpcServer) -> None:
    async with peer(server, hub.tls("delivery")) as delivery:
        await fetch(delivery)

    assert len(world.served) == 1


async def test_client_with_a_key_dials_with_any_certificate_of_the_hub(
    world: World, hub: Certified, server: RpcServer
) -> None:
    async with hub.tls("partner").to("ingestion").channel(f"127.0.0.1:{server.port}", ()) as channel:
        heard = await hear(IngestionServiceStub(channel).GetJob, JOB, bearer())

    assert heard.code is grpc.StatusCode.OK


async def test_caller_in_the_clear_is_not_heard(world: World, server: RpcServer) -> None:
    refused = await refusal(server, Tls())

    assert isinstance(refused, PeerUnavailable)
    assert world.served == []


async def test_caller_without_a_certificate_is_not_heard(world: World, hub: Certified, server: RpcServer) -> None:
    authority = grpc.ssl_channel_credentials(root_certificates=hub.authority.files("delivery").ca.read_bytes())
    options = (("grpc.ssl_target_name_override", "ingestion.contactsync.internal"),)

    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", authority, options=options) as channel:
        heard = await hear(IngestionServiceStub(channel).FetchChunks, FETCH, service("delivery"))

    assert heard.code is grpc.StatusCode.UNAVAILABLE
    assert world.served == []


async def test_certificate_of_another_authority_is_not_heard(
    world: World, hub: Certified, server: RpcServer, tmp_path: Path
) -> None:
    mixed = Certified(tmp_path / "others")
    shutil.copy(hub.authority.files("delivery").ca, mixed.authority.files("delivery").ca)  # believes the server

    assert isinstance(await refusal(server, mixed.tls("delivery")), PeerUnavailable)
    assert world.served == []


async def test_server_of_another_authority_is_not_believed(world: World, hub: Certified, tmp_path: Path) -> None:
    async with listening(world, Certified(tmp_path / "others").tls("ingestion")) as stranger:
        assert isinstance(await refusal(stranger, hub.tls("delivery")), PeerUnavailable)


async def test_service_in_anothers_place_is_not_believed(world: World, hub: Certified) -> None:
    async with listening(world, hub.tls("normalization")) as impostor:
        assert isinstance(await refusal(impostor, hub.tls("delivery")), PeerUnavailable)

    assert world.served == []


async def test_statement_of_another_than_the_certificate_is_refused(
    world: World, hub: Certified, server: RpcServer
) -> None:
    refused = await refusal(server, hub.tls("normalization"), name="delivery", within=LONG)

    assert isinstance(refused, PeerRefused)
    assert refused.reason == "UNAUTHORIZED"
    assert world.served == []


async def test_certificate_without_a_statement_opens_nothing(world: World, hub: Certified, server: RpcServer) -> None:
    async with hub.tls("delivery").to("ingestion").channel(f"127.0.0.1:{server.port}", ()) as channel:
        heard = await hear(IngestionServiceStub(channel).FetchChunks, FETCH)

    assert heard.code is grpc.StatusCode.UNAUTHENTICATED
    assert world.served == []


async def test_certificate_that_has_ended_is_not_heard(
    world: World, hub: Certified, server: RpcServer, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "certs", tmp_path / "old")
    old = Authority(tmp_path / "old", life=timedelta(days=1))
    for path in (old.files("delivery").cert, old.files("delivery").key):
        path.unlink()
    old.issue(["delivery"], now=NOW - timedelta(days=2))
    issued = old.files("delivery")

    assert isinstance(await refusal(server, Tls((issued.ca, issued.cert, issued.key))), PeerUnavailable)
    assert world.served == []


async def test_new_certificates_are_used_without_a_restart(
    world: World, hub: Certified, server: RpcServer, tmp_path: Path
) -> None:
    new = Certified(tmp_path / "new")
    async with peer(server, hub.tls("delivery")) as delivery:
        await fetch(delivery)
        hub.renew("ingestion", new)
        hub.renew("delivery", new)
        await fetch(delivery)

    assert len(world.served) == 2
    assert await shown(server, new.files("partner")) == _serial(new.files("ingestion"))


async def test_certificate_without_its_key_is_not_used_yet(
    world: World, hub: Certified, server: RpcServer, tmp_path: Path
) -> None:
    before, new = _serial(hub.files("ingestion")), Certified(tmp_path / "new")
    shutil.copy(new.authority.files("ingestion").key, hub.authority.files("ingestion").key)
    hub.watch.seconds += 10

    assert await shown(server, hub.files("partner")) == before


async def shown(server: RpcServer, files: Sequence[Path]) -> int:
    """The serial number of the certificate that the server shows to who connects now with these files."""
    ca, cert, key = files
    context = ssl.create_default_context(cafile=str(ca))
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=context, server_hostname="ingestion.contactsync.internal"
    )
    encoded = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return x509.load_der_x509_certificate(encoded).serial_number


def _serial(files: Sequence[Path]) -> int:
    return x509.load_pem_x509_certificate(files[1].read_bytes()).serial_number

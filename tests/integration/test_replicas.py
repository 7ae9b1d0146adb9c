"""Two replicas of a service behind the gateway: limits that lie in a replica's memory hold for both."""

import asyncio
import hashlib
import hmac
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.config import GatewaySettings, render
from libs.cli.stack.ports import choose_free
from libs.rpc import RpcServer
from services.access.domain.key import KEY_RANDOM_BYTES, make_key
from tests.fixtures.waiting import PATIENCE_SECONDS
from tests.integration.rpc.world import CLIENT, START, UNBOUNDED, World, make_server

RATE = 10.0


@dataclass(frozen=True)
class Replicas:
    http: httpx.AsyncClient
    worlds: list[World]
    servers: list[RpcServer]

    async def ask(self, key: str, **headers: str) -> int:
        given = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): each for name, each in headers.items()}}
        return (await self.http.get("/v1/contacts/import/none", headers=given)).status_code

    def served(self) -> list[int]:
        return [len(world.served) for world in self.worlds]


@asynccontextmanager
async def replicas(folder: Path, *, count: int, **settings: Any) -> AsyncIterator[Replicas]:
    ports = choose_free(["gateway", "admin"])
    async with AsyncExitStack() as stack:
        worlds = [World() for _ in range(count)]
        servers = [make_server(world, **settings) for world in worlds]
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        addresses = [f"127.0.0.1:{server.port}" for server in servers]
        listen, admin = (f"127.0.0.1:{ports[name]}" for name in ("gateway", "admin"))
        gateway = GatewaySettings(
            listen=listen, admin=admin, upstreams={"ingestion": addresses, "directory": addresses}
        )
        (folder / "envoy.yaml").write_text(render(gateway))
        http = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://{listen}", timeout=30, trust_env=False)
        )
        await stack.enter_async_context(envoy(folder / "envoy.yaml", http))
        yield Replicas(http, worlds, servers)


@asynccontextmanager
async def envoy(config: Path, http: httpx.AsyncClient, *, ready: str = "/healthz") -> AsyncIterator[None]:
    command = (
        str(Path(sys.executable).parent / "envoy"),
        "--config-path",
        str(config),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "--log-level",
        "off",
    )
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await is_ready(http, ready):  # noqa: ASYNC110 - the fact lies in another process
                await asyncio.sleep(0.1)
        yield
    finally:
        process.terminate()
        await process.wait()


async def is_ready(http: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await http.get(path)).is_success
    except httpx.TransportError:
        return False


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Replicas]:
    async with replicas(tmp_path, count=2) as running:
        yield running


async def test_a_clients_rate_holds_across_replicas(two: Replicas) -> None:
    for world in two.worlds:
        world.clients["slow"] = replace(CLIENT, rate=RATE)

    allowed = 0
    for _ in range(20):
        allowed += (await asyncio.gather(*(two.ask("slow") for _ in range(10)))).count(200)
        for world in two.worlds:
            world.seconds += 0.2

    expected = RATE + RATE * 19 * 0.2
    assert expected * 0.9 <= allowed <= expected * 1.1
    assert sorted(two.served()) == [0, allowed]


async def test_a_key_spelled_otherwise_reaches_the_same_replica(two: Replicas) -> None:
    for spelled in ("Bearer good", "bearer good", "BEARER   good"):
        answer = await two.http.get("/v1/contacts/import/none", headers={"Authorization": spelled})
        assert answer.status_code == 200

    assert sorted(two.served()) == [0, 3]


async def test_two_keys_of_a_client_reach_the_same_replica(two: Replicas) -> None:
    keys = [make_key(bytes([number]) * KEY_RANDOM_BYTES, client_id="client").text for number in range(20)]
    for world in two.worlds:
        world.clients |= dict.fromkeys(keys, CLIENT)

    assert [await two.ask(key) for key in keys] == [200] * 20

    assert sorted(two.served()) == [0, 20]


async def test_a_captured_signature_passes_at_no_replica(two: Replicas) -> None:
    for world in two.worlds:
        world.clients["good"] = replace(CLIENT, signs=True, secrets=(b"secret",))
    body, timestamp = b'{"phone":"1"}', START.isoformat()
    signature = hmac.new(b"secret", timestamp.encode() + b"\n" + body, hashlib.sha256).hexdigest()
    headers = {"Authorization": "Bearer good", "X-Timestamp": timestamp, "X-Signature": signature}

    answers = [
        await two.http.post("/v1/contacts/import", content=body, headers=headers | {"Idempotency-Key": key})
        for key in ("one", "two", "three", "one")
    ]

    assert [answer.status_code for answer in answers] == [202, 401, 401, 202]


async def test_many_keys_are_spread_over_the_replicas(two: Replicas) -> None:
    for world in two.worlds:
        world.clients |= {f"key-{number}": CLIENT for number in range(100)}

    for number in range(100):
        assert await two.ask(f"key-{number}") == 200

    assert min(two.served()) >= 20


async def test_reads_go_on_when_a_replica_goes_away_at_once(tmp_path: Path) -> None:
    async with replicas(tmp_path, count=2, grace=timedelta(0)) as two:
        for world in two.worlds:
            world.clients |= {f"key-{number}": CLIENT for number in range(40)}

        await two.servers[0].stop()
        answers = await asyncio.gather(*(two.ask(f"key-{number}") for number in range(40)))

        assert answers == [200] * 40
        assert two.served()[0] == 0


async def test_a_write_that_met_a_gone_replica_is_cured_by_one_retry(tmp_path: Path) -> None:
    async with replicas(tmp_path, count=2, grace=timedelta(0)) as two:
        for world in two.worlds:
            world.clients |= {f"key-{number}": CLIENT for number in range(40)}

        await two.servers[0].stop()
        first = [await write(two, f"key-{number}") for number in range(40)]
        again = [await write(two, f"key-{number}") for number, status in enumerate(first) if status != 202]

        assert set(first) <= {202, 503}
        assert set(again) <= {202}
        assert first.count(503) <= 1


async def test_a_replica_that_drains_is_left_before_it_goes(tmp_path: Path) -> None:
    async with replicas(tmp_path, count=2, linger=timedelta(seconds=5)) as two:
        for world in two.worlds:
            world.clients |= {f"key-{number}": UNBOUNDED for number in range(10)}
        gone = asyncio.create_task(two.servers[0].stop())

        statuses = []
        while not gone.done():
            statuses += await asyncio.gather(*(write(two, f"key-{number}") for number in range(10)))

        assert set(statuses) == {202}


async def write(two: Replicas, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
    return (await two.http.post("/v1/contacts/import", content=b'{"phone":"1"}', headers=headers)).status_code

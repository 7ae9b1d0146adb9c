"""Which requests the real Envoy traces: so many a second, a share of those beyond, dry runs, and what callers say."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from gateway.config import GatewaySettings, render
from gateway.tracing import Sampling
from libs.cli.stack.ports import choose_free
from tests.fixtures.otlp import OtlpReceiver
from tests.integration.rpc.world import UNBOUNDED, World, make_server
from tests.integration.test_replicas import envoy

RATE = 8
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Gateway:
    """An Envoy before one service, which says of every request how it came."""

    def __init__(self, http: httpx.AsyncClient, world: World) -> None:
        self._http = http
        self._world = world

    async def is_traced(self, verb: str = "POST", **headers: str) -> bool:
        path = "/v1/contacts/import" if verb == "POST" else "/v1/contacts/import/none"
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        await self._http.request(verb, path, content=b"{}", headers={"Authorization": "Bearer good", **given})
        return int(self._world.contexts[-1].traceparent[-2:], 16) & 1 == 1

    @property
    def last_traceparent(self) -> str:
        return str(self._world.contexts[-1].traceparent)

    async def exhaust(self) -> None:
        while await self.is_traced():
            pass


@asynccontextmanager
async def gateway(folder: Path, otlp: OtlpReceiver, sampling: Sampling) -> AsyncIterator[Gateway]:
    ports = choose_free(["gateway", "admin"])
    listen, admin = (f"127.0.0.1:{ports[name]}" for name in ("gateway", "admin"))
    world = World(clients={"good": UNBOUNDED})
    server = make_server(world)
    await server.start()
    settings = GatewaySettings(
        listen=listen,
        admin=admin,
        upstreams={"ingestion": [f"127.0.0.1:{server.port}"]},
        otlp_endpoint=otlp.endpoint,
        sampling=sampling,
    )
    (folder / "envoy.yaml").write_text(render(settings))
    http = httpx.AsyncClient(base_url=f"http://{listen}", trust_env=False)
    try:
        async with http, envoy(folder / "envoy.yaml", http):
            yield Gateway(http, world)
    finally:
        await server.stop()


async def test_as_many_a_second_as_the_rate_says(otlp: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway(tmp_path, otlp, Sampling(rate=RATE, share=0)) as asked:
        began = time.monotonic()
        traced = [await asked.is_traced() for _ in range(60)].count(True)
        seconds = time.monotonic() - began
        await otlp.until(lambda: len(otlp.named("/v1/contacts/import")) == traced)

    assert 1 <= traced <= RATE * (1 + seconds) + 1
    assert {(span.service, span.parent_id) for span in otlp.named("/v1/contacts/import")} == {("gateway", "")}


async def test_beyond_the_rate_dry_runs_and_callers_decide(otlp: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway(tmp_path, otlp, Sampling(rate=0, share=0)) as asked:
        assert not await asked.is_traced()
        assert await asked.is_traced(X_Debug="True")
        assert not await asked.is_traced(X_Debug="no")
        assert await asked.is_traced(traceparent=f"00-{TRACE}-{CALLER}-01")
        assert not await asked.is_traced(traceparent=f"00-{TRACE}-{CALLER}-00")
        for forged in ("x-envoy-force-trace", "x-client-trace-id", "x-request-id"):
            assert not await asked.is_traced(**{forged: "true"})
        await otlp.until(lambda: len(otlp.spans) == 2)

    assert sorted(span.parent_id for span in otlp.spans) == ["", CALLER]


@pytest.mark.parametrize(
    "malformed",
    [
        f"00-{TRACE}-{CALLER}",
        f"00-{TRACE.upper()}-{CALLER}-01",
        f"00-{TRACE}-{CALLER}-01-more",
        "garbage",
        "",
        "00-" + "0" * 52,
    ],
)
async def test_a_trace_begins_here_whatever_the_caller_wrote(
    otlp: OtlpReceiver, tmp_path: Path, malformed: str
) -> None:
    async with gateway(tmp_path, otlp, Sampling(rate=0, share=1)) as asked:
        assert await asked.is_traced(traceparent=malformed)
        await otlp.until(lambda: len(otlp.named("/v1/contacts/import")) == 1)

    (span,) = otlp.named("/v1/contacts/import")
    assert (span.service, span.parent_id) == ("gateway", "")
    assert span.trace_id in asked.last_traceparent


async def test_a_share_of_one_is_everything(otlp: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway(tmp_path, otlp, Sampling(rate=0, share=1)) as asked:
        assert all([await asked.is_traced() for _ in range(10)])
        assert not await asked.is_traced(traceparent=f"00-{TRACE}-{CALLER}-00")


async def test_who_only_reads_leaves_room_for_others(otlp: OtlpReceiver, tmp_path: Path) -> None:
    async with gateway(tmp_path, otlp, Sampling(rate=RATE, share=0)) as asked:
        await asked.exhaust()
        while not await asked.is_traced("GET"):
            """Until the bucket is more than half full."""

        assert [await asked.is_traced() for _ in range(RATE // 2 - 1)] == [True] * (RATE // 2 - 1)

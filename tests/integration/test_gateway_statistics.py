"""Prometheus reads the gateway's numbers, and reaches nothing else of its admin interface."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.config import GatewaySettings, render
from libs.cli.stack.ports import choose_free
from tests.integration.test_replicas import envoy


@pytest.fixture
async def statistics(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    ports = choose_free(["public", "admin", "statistics", "nobody"])
    settings = GatewaySettings(
        listen=f"127.0.0.1:{ports['public']}",
        admin=f"127.0.0.1:{ports['admin']}",
        statistics=f"127.0.0.1:{ports['statistics']}",
        upstreams={"ingestion": [f"127.0.0.1:{ports['nobody']}"]},
    )
    config = tmp_path / "envoy.yaml"
    config.write_text(render(settings))
    url = f"http://127.0.0.1:{ports['statistics']}"
    async with (
        httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) as http,
        envoy(config, http, ready="/stats/prometheus"),
    ):
        yield http


async def test_only_the_numbers_are_there(statistics: httpx.AsyncClient) -> None:
    numbers = await statistics.get("/stats/prometheus")
    others = [await statistics.post(path) for path in ("/quitquitquit", "/stats/prometheus/../../quitquitquit")]
    others += [await statistics.get(path) for path in ("/", "/config_dump", "/stats", "/stats/prometheus/")]

    assert "envoy_http_downstream_rq_xx" in numbers.text
    assert {answer.status_code for answer in others} == {404}

"""Errors through the real Envoy, each in the envelope of the API that was called, whoever makes it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.config import GatewaySettings, render
from libs.cli.stack.ports import choose_free
from libs.rpc import Credential, Refusal, WorkspaceCaller
from tests.integration.test_replicas import Replicas, envoy, replicas

WORKSPACE = WorkspaceCaller("w1")
OPENS = {
    Credential.CONNECT_KEY: {("key", ""): WORKSPACE},
    Credential.TELECRM_SYNC: {("sync", "w1"): WORKSPACE},
    Credential.SOURCE_BASIC: {("id:secret", ""): WORKSPACE},
    Credential.SOURCE_TOKEN: {("jwt", ""): WORKSPACE},
}
ENTERPRISE = "/autoupdate/v2/enterprise/w1"
HEADERS = {
    "import": {"Authorization": "Bearer good"},
    "telecrm": {"Authorization": "Bearer sync"},
    "connect": {"X-Api-Key": "key"},
    "source": {"Authorization": "Bearer jwt"},
}
READ = {
    "import": "/v1/contacts/import/none",
    "telecrm": f"{ENTERPRISE}/lead/1",
    "connect": "/api/connect/contacts",
    "source": "/contact-source/contacts",
}
GROUPS = list(READ)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Replicas]:
    async with replicas(tmp_path, count=1) as running:
        running.worlds[0].opens.update(OPENS)
        yield running


def words(group: str, answer: httpx.Response) -> str:
    """The code of the error, or its text where the envelope has no code; fails for any other shape."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-correlation-id"]
    told = answer.json()
    match group:
        case "import":
            assert {"error", "message"} <= told.keys()
            return str(told["error"])
        case "telecrm":
            assert told.keys() == {"error"}
            assert {"code", "message"} <= told["error"].keys()
            return str(told["error"]["code"])
        case _:
            assert told.keys() == {"error"}
            return str(told["error"])


async def test_errors_have_the_envelope_of_their_group(gateway: Replicas) -> None:
    """All in one test: an Envoy takes two seconds to start."""
    for group in GROUPS:
        for ask in (unknown_paths, wrong_verbs, grpc_bodies, crashes, refusals, unanswered):
            await ask(gateway, group)
    for group in ("import", "telecrm", "connect"):
        await too_large(gateway, group)


UNKNOWN = {
    "import": ["/v1/none", "/", "/openapi/none.yaml"],
    "telecrm": [
        "/autoupdate",
        "/autoupdate/v2/none",
        f"{ENTERPRISE}/none",
        f"{ENTERPRISE}/lead/",
        f"{ENTERPRISE}/lead/a%2Fb",
        "/enterprise/w1/none",
    ],
    "connect": ["/api/connect", "/api/connect/", "/api/connect/none", "/api/connect/contacts/1"],
    "source": ["/contact-source", "/contact-source/", "/contact-source/contacts/delta/x"],
}


async def unknown_paths(gateway: Replicas, group: str) -> None:
    for path in UNKNOWN[group]:
        answer = await gateway.http.get(path, headers=HEADERS[group])

        expected = 400 if "%2F" in path else 404
        assert answer.status_code == expected, path
        told = {"import": "not_found", "telecrm": "NOT_FOUND"}.get(group, "Resource not found")
        assert words(group, answer) == ("BAD_REQUEST" if expected == 400 else told), path


async def wrong_verbs(gateway: Replicas, group: str) -> None:
    for verb in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PURGE", "NONSENSE"):
        answer = await gateway.http.request(verb, READ[group], headers=HEADERS[group])

        assert answer.status_code == 405
        allowed = {"telecrm": "GET, POST", "connect": "GET, POST"}.get(group, "GET")
        assert answer.headers["allow"] == allowed
        assert words(group, answer).lower().replace(" ", "_").startswith("method_not_allowed")


async def grpc_bodies(gateway: Replicas, group: str) -> None:
    for path in (READ[group], UNKNOWN[group][0]):
        headers = {**HEADERS[group], "Content-Type": "application/grpc"}

        answer = await gateway.http.post(path, headers=headers, content=b"\0\0\0\0\0")

        assert answer.status_code in {415, 405, 404}, (path, answer.status_code)
        assert words(group, answer)


async def crashes(gateway: Replicas, group: str) -> None:
    async def crash(request: Any) -> None:
        raise RuntimeError("+79001234567")

    gateway.worlds[0].behave = crash
    answer = await gateway.http.get(READ[group], headers=HEADERS[group])

    assert answer.status_code == 500
    assert words(group, answer)
    assert "7900" not in answer.text


async def refusals(gateway: Replicas, group: str) -> None:
    async def refuse(request: Any) -> None:
        raise Refusal("RATE_LIMIT_EXCEEDED", "Слишком часто")

    gateway.worlds[0].behave = refuse
    answer = await gateway.http.get(READ[group], headers=HEADERS[group])

    assert answer.status_code == 429
    told = {"import": "rate_limit_exceeded", "telecrm": "RATE_LIMIT_EXCEEDED"}.get(group, "Слишком часто")
    assert words(group, answer) == told


async def unanswered(gateway: Replicas, group: str) -> None:
    """Nobody is let in without the group's own credential."""
    answer = await gateway.http.get(READ[group], headers={"Authorization": "Basic !"})

    assert answer.status_code == 401
    told = {"import": "unauthorized", "telecrm": "NOT_AUTHORIZED"}.get(group, "Unauthorized")
    assert words(group, answer) == told
    assert ("www-authenticate" in answer.headers) == (group != "connect")


async def too_large(gateway: Replicas, group: str) -> None:
    path = {"import": "/v1/contacts/import", "telecrm": f"{ENTERPRISE}/lead", "connect": "/api/connect/contacts"}[group]

    answer = await gateway.http.post(path, headers=HEADERS[group], content=b"x" * (8 * 1024 * 1024 + 1))

    assert answer.status_code == 413
    assert words(group, answer).lower().replace(" ", "_").startswith("payload_too_large")


async def test_a_service_that_is_away_is_told_in_the_envelope_too(tmp_path: Path) -> None:
    ports = choose_free(["gateway", "admin", "nobody"])
    listen, admin, nobody = (f"127.0.0.1:{ports[name]}" for name in ("gateway", "admin", "nobody"))
    settings = GatewaySettings(listen=listen, admin=admin, upstreams={"ingestion": [nobody], "directory": [nobody]})
    (tmp_path / "envoy.yaml").write_text(render(settings))
    async with (
        httpx.AsyncClient(base_url=f"http://{listen}", timeout=30, trust_env=False) as http,
        envoy(tmp_path / "envoy.yaml", http, ready="/docs"),
    ):
        asked = await asyncio.gather(*(http.get(READ[group], headers=HEADERS[group]) for group in GROUPS))
        answers = dict(zip(GROUPS, asked, strict=True))

    assert {answer.status_code for answer in answers.values()} == {503}
    assert {answer.headers["Retry-After"] for answer in answers.values()} == {"5"}
    assert [words(group, answer) for group, answer in answers.items()] == [
        "service_unavailable",
        "SERVICE_UNAVAILABLE",
        "Service temporarily unavailable",
        "Service temporarily unavailable",
    ]


async def test_what_a_path_names_stands_whatever_the_query_says(gateway: Replicas) -> None:
    named: list[str] = []

    async def hear(request: Any) -> None:
        named.append(request.job_id)

    gateway.worlds[0].behave = hear
    await gateway.http.get("/v1/contacts/import/mine?job_id=other", headers=HEADERS["import"])

    assert named == ["mine"]

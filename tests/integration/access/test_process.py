"""`python -m services.access.main` as an operator runs it."""

import asyncio
import json
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from contactsync.access.v1 import access_service_pb2 as pb
from contactsync.access.v1 import access_service_pb2_grpc

from services.access.credentials_file import JsonCredentialsFile
from services.access.domain.credentials import Credentials
from services.access.domain.key import KEY_RANDOM_BYTES, make_key
from services.access.main import main

Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    files = {name: tmp_path / f"{name}.key" for name in ("service", "master", "pepper")}
    for file in files.values():
        file.write_text(secrets.token_hex(32))
    return {
        "CONTACTSYNC_LISTEN": "127.0.0.1:0",
        "CONTACTSYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'access.sqlite3'}",
        "CONTACTSYNC_SERVICE_KEY_FILE": str(files["service"]),
        "CONTACTSYNC_MASTER_KEY_FILE": str(files["master"]),
        "CONTACTSYNC_PEPPER_FILE": str(files["pepper"]),
        "CONTACTSYNC_BOOTSTRAP_FILE": str(tmp_path / "credentials.json"),
    }


async def start(environment: Environment) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.access.main",
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )


@asynccontextmanager
async def running(
    environment: Environment,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, access_service_pb2_grpc.AccessServiceStub]]:
    process = await start(environment)
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await told_port(process)}") as channel:
            yield process, access_service_pb2_grpc.AccessServiceStub(channel)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def told_port(process: asyncio.subprocess.Process) -> int:
    assert process.stderr is not None
    async for line in process.stderr:
        fact = json.loads(line)
        if fact["event"] == "server_started":
            return int(fact["port"])
    raise AssertionError("it ended before it listened")


async def assert_first_keys_open(stub: access_service_pb2_grpc.AccessServiceStub, environment: Environment) -> None:
    credentials = json.loads(Path(environment["CONTACTSYNC_BOOTSTRAP_FILE"]).read_text())
    admin = (("authorization", f"Bearer {credentials['admin']['api_key']}"),)
    listed = await stub.ListClients(pb.ListClientsRequest(), metadata=admin)
    assert [client.id for client in listed.clients] == ["admin", "default"]


async def test_a_new_hub_opens_with_the_keys_in_its_file_and_never_with_another_pepper(
    environment: Environment,
) -> None:
    async with running(environment) as (process, stub):
        await assert_first_keys_open(stub, environment)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    Path(environment["CONTACTSYNC_PEPPER_FILE"]).write_text(secrets.token_hex(32))
    refused = await start(environment)
    _, told = await refused.communicate()

    assert refused.returncode == os.EX_CONFIG
    assert b"CONTACTSYNC_PEPPER_FILE holds another key" in told


async def test_a_start_killed_between_file_and_clients_is_made_good(environment: Environment) -> None:
    left_behind = Credentials(
        admin=make_key(b"a" * KEY_RANDOM_BYTES, client_id="client"),
        client=make_key(b"c" * KEY_RANDOM_BYTES, client_id="client"),
    )
    JsonCredentialsFile(Path(environment["CONTACTSYNC_BOOTSTRAP_FILE"])).keep(left_behind)

    async with running(environment) as (process, stub):
        await assert_first_keys_open(stub, environment)
        process.kill()

    async with running(environment) as (_, stub):
        await assert_first_keys_open(stub, environment)


@pytest.mark.parametrize("setting", ["MASTER_KEY_FILE", "PEPPER_FILE", "SERVICE_KEY_FILE"])
def test_a_key_file_that_is_missing_is_told_with_what_to_do(
    environment: Environment,
    setting: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    Path(environment[f"CONTACTSYNC_{setting}"]).unlink()

    with pytest.raises(SystemExit) as ended:
        main()

    told = capsys.readouterr().err
    assert ended.value.code == os.EX_CONFIG
    assert told.startswith(f"access cannot start: CONTACTSYNC_{setting} names ")
    assert "make one: python3 -c" in told


def test_a_missing_setting_is_named_without_a_value(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**environment, "CONTACTSYNC_DATABASE_URL": ""}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit):
        main()

    told = capsys.readouterr().err
    missing = "CONTACTSYNC_DATABASE_URL (it is missing)"
    assert told == f"access cannot start: these settings are missing or not valid: {missing}\n"

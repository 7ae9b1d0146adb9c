"""What a container asks its own service."""

import asyncio
import subprocess
import sys
from pathlib import Path

from libs.cli.stack.authority import Authority
from libs.rpc import Tls
from tests.integration.rpc.test_tls import NOW
from tests.integration.rpc.world import World, make_server

_FILES = ("CONTACTSYNC_TLS_CA_FILE", "CONTACTSYNC_TLS_CERT_FILE", "CONTACTSYNC_TLS_KEY_FILE")


async def _probe(port: int, service: str, files: dict[str, str]) -> int:
    environment = {"CONTACTSYNC_LISTEN": f"0.0.0.0:{port}", **files}
    command = [sys.executable, "-m", "libs.rpc.probe", service]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=subprocess.DEVNULL)
    return await process.wait()


async def test_probe_finds_a_service_well_until_it_stops(world: World) -> None:
    server = make_server(world)
    await server.start()

    well = await _probe(server.port, "ingestion", {})
    await server.stop()
    gone = await _probe(server.port, "ingestion", {})

    assert (well, gone) == (0, 1)


async def test_probe_shows_the_services_own_certificate(world: World, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    authority.issue(["ingestion"], now=NOW)
    issued = authority.files("ingestion")
    files = (issued.ca, issued.cert, issued.key)
    server = make_server(world, tls=Tls(files))
    await server.start()

    well = await _probe(server.port, "ingestion", dict(zip(_FILES, map(str, files), strict=True)))
    in_the_clear = await _probe(server.port, "ingestion", {})
    another = await _probe(server.port, "delivery", dict(zip(_FILES, map(str, files), strict=True)))
    await server.stop()

    assert (well, in_the_clear, another) == (0, 1, 1)

"""The life of a server: ready, busy, asked to stop, gone."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.ingestion.v1 import import_api_pb2_grpc, ingestion_service_pb2, ingestion_service_pb2_grpc
from google.api.httpbody_pb2 import HttpBody
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from libs.rpc.server import ALIVE
from tests.integration.rpc.conftest import Stubs
from tests.integration.rpc.world import World, bearer, hear, make_server, serving

GET_JOB = ingestion_service_pb2.GetJobRequest(job_id="j")
WATCH = ingestion_service_pb2.WatchJobRequest(job_id="j")
ROOT = Path(__file__).resolve().parents[3]
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


async def _until(channel: grpc.aio.Channel, status: int, name: str = "") -> None:
    """Waits until health says so."""
    async for told in health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(service=name), timeout=20
    ):
        if told.status == status:
            return


async def test_health_follows_readiness(world: World) -> None:
    asked = 0

    async def ready() -> None:
        nonlocal asked
        asked += 1
        if asked < 3:
            raise ConnectionError

    async with serving(world, ready=ready) as channel:
        await _until(channel, SERVING)
        await _until(channel, SERVING, "contactsync.ingestion.v1.ImportApi")

    assert asked == 3


async def test_process_is_alive_while_it_is_not_ready(world: World) -> None:
    async def never() -> None:
        raise ConnectionError

    async with serving(world, ready=never) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        alive = await hear(check, health_pb2.HealthCheckRequest(service=ALIVE))
        ready = await hear(check, health_pb2.HealthCheckRequest())

    assert (alive.response.status, ready.response.status) == (SERVING, NOT_SERVING)


async def test_reflection_lists_the_services(channel: grpc.aio.Channel) -> None:
    call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
        iter([reflection_pb2.ServerReflectionRequest(list_services="")]), timeout=20
    )
    response = await call.read()

    names = {service.name for service in response.list_services_response.service}
    assert {"contactsync.ingestion.v1.ImportApi", "grpc.health.v1.Health"} <= names


async def test_taken_port_is_an_error_not_a_share(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(OSError, match="cannot listen on"):
            await make_server(world, listen=listen).start()


async def test_second_server_does_not_share_the_port(world: World) -> None:
    first = make_server(world)
    await first.start()

    with pytest.raises(OSError, match="cannot listen on"):
        await make_server(world, listen=f"127.0.0.1:{first.port}").start()

    await first.stop()


async def test_over_its_limit_a_call_is_refused_and_health_is_not(world: World) -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        begun.set()
        await go.wait()

    world.behave = behave
    async with serving(world, maximum_concurrent_rpcs=1) as channel:
        get_job = ingestion_service_pb2_grpc.IngestionServiceStub(channel).GetJob
        running = asyncio.create_task(hear(get_job, GET_JOB, bearer()))
        await begun.wait()

        typed = await hear(get_job, GET_JOB, bearer())
        rest = await hear(import_api_pb2_grpc.ImportApiStub(channel).Import, HttpBody(), bearer())
        await _until(channel, SERVING)
        go.set()

        assert (typed.code, typed.trailing["retry-after"]) == (grpc.StatusCode.UNAVAILABLE, "1")
        assert (rest.status, rest.initial["retry-after"]) == ("503", "1")
        assert (await running).code is grpc.StatusCode.OK
        assert (await hear(get_job, GET_JOB, bearer())).code is grpc.StatusCode.OK


async def test_stop_lets_a_running_call_finish_and_ends_streams(world: World) -> None:
    begun, go, streaming = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def behave(request: Any) -> None:
        if world.served[-1] == "WatchJob":
            streaming.set()
            await asyncio.Event().wait()
        begun.set()
        await go.wait()

    world.behave = behave
    server = make_server(world, grace=timedelta(seconds=20))
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        running = asyncio.create_task(hear(stub.GetJob, GET_JOB, bearer()))
        await begun.wait()
        watching = stub.WatchJob(WATCH, metadata=(bearer(),), timeout=20)
        await streaming.wait()

        stopping = asyncio.create_task(server.stop())
        code = await watching.code()
        go.set()
        await stopping

        assert code is grpc.StatusCode.UNAVAILABLE
        assert (await running).code is grpc.StatusCode.OK
    await server.stop()


SERVE = """
import asyncio, structlog, sys
from datetime import timedelta
from tests.integration.rpc.world import World, make_server

async def main():
    world = World()
    server = make_server(world, grace=timedelta(seconds=int(sys.argv[1])))

    async def forever(request):
        sys.stdout.write("begun\\n"); sys.stdout.flush()
        await asyncio.Event().wait()

    world.behave = forever
    await server.start()
    sys.stdout.write(f"{server.port}\\n"); sys.stdout.flush()
    await server.run()
    sys.stdout.write("done\\n"); sys.stdout.flush()

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
asyncio.run(main())
"""


@pytest.fixture
async def process(request: pytest.FixtureRequest) -> AsyncIterator[asyncio.subprocess.Process]:
    """A server in a process of its own, with a grace of 1 s, which is gone after the test whatever happens."""
    command = (sys.executable, "-c", SERVE, str(getattr(request, "param", 1)))
    started = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    yield started
    if started.returncode is None:
        started.kill()
        await started.communicate()


async def _line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signal_stops_the_process_cleanly(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await _line(process)}") as channel:
        await _until(channel, SERVING)

    process.send_signal(number)
    out, _ = await process.communicate()

    assert (process.returncode, out) == (0, b"done\n")


async def test_call_that_does_not_end_is_cut_at_the_end_of_the_grace(process: asyncio.subprocess.Process) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await _line(process)}") as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        running = asyncio.create_task(hear(stub.GetJob, GET_JOB, bearer()))
        assert await _line(process) == "begun"

        process.terminate()
        out, _ = await process.communicate()

        assert (process.returncode, out) == (0, b"done\n")
        assert (await running).code is not grpc.StatusCode.OK


@pytest.mark.parametrize("process", [300], indirect=True, ids=["patient"])
async def test_second_signal_ends_the_process_at_once(process: asyncio.subprocess.Process) -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await _line(process)}") as channel:
        stub = ingestion_service_pb2_grpc.IngestionServiceStub(channel)
        running = asyncio.create_task(hear(stub.GetJob, GET_JOB, bearer()))
        assert await _line(process) == "begun"

        process.terminate()
        await _until_told(channel)
        process.terminate()

        assert await process.wait() == 1
        assert (await running).code is not grpc.StatusCode.OK


async def _until_told(channel: grpc.aio.Channel) -> None:
    """Waits until the server refuses new calls, which it does from the moment that it stops."""
    check = health_pb2_grpc.HealthStub(channel).Check
    while True:
        heard = await hear(check, health_pb2.HealthCheckRequest())
        if heard.code is not grpc.StatusCode.OK or heard.response.status == NOT_SERVING:
            return


async def test_big_body_passes_and_a_bigger_one_is_refused(world: World, stubs: Stubs) -> None:
    fits = HttpBody(content_type="application/json", data=b"x" * (8 * 1024 * 1024))
    too_big = HttpBody(content_type="application/json", data=b"x" * (9 * 1024 * 1024 + 1))

    heard = await hear(stubs.rest.GetHealth, HttpBody())
    assert heard.response.data == b"healthy"
    assert (await hear(stubs.rest.Import, too_big, bearer())).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    await hear(stubs.rest.Import, fits, bearer())
    assert world.served == ["Import"]

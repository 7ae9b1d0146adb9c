"""The limit of delivery: a loop of 64 that posts bodies with aiohttp and remembers nothing.

`python -m tests.bench.delivering.bare_loop --sink URL --chunks N --size K`, a peer of `contactsync bench delivery`.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator

import aiohttp
import uvloop

from tests.bench.delivering.bodies import body, headers, wait_for_the_word

AT_ONCE = 64


async def deliver(sink: str, waiting: Iterator[bytes]) -> None:
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(post_all(session, sink, waiting))


async def post_all(session: aiohttp.ClientSession, sink: str, waiting: Iterator[bytes]) -> None:
    for each in waiting:
        async with session.post(sink, data=each, headers=headers(each)) as response:
            await response.read()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sink", required=True)
    parser.add_argument("--chunks", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    options = parser.parse_args()
    bodies = [body(place, options.size) for place in range(options.chunks)]
    wait_for_the_word()
    uvloop.run(deliver(options.sink, iter(bodies)))
    sys.stdin.readline()  # until it is told to end


if __name__ == "__main__":
    main()

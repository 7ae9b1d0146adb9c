"""The source as a program, for benchmarks and for tests that kill others around it.

`python -m tests.fakes.contact_source --port P --contacts N`. `POST /change?updates=U&deletes=D` changes the first U
contacts and deletes the last D, at the time of now.
"""

import argparse
import asyncio
import time

from aiohttp import web

from tests.fakes.contact_source.book import Book, make_contact
from tests.fakes.contact_source.server import ContactSourceFake


def change(book: Book, *, updates: int, deletes: int) -> None:
    book.now = int(time.time())
    ids = list(book.contacts)
    for contact_id in ids[:updates]:
        book.put(make_contact(int(contact_id), mark="-changed"))
    for contact_id in ids[len(ids) - deletes :]:
        book.delete(contact_id)


async def serve(port: int, contacts: int) -> None:
    book = Book(map(make_contact, range(1, contacts + 1)))

    async def change_some(request: web.Request) -> web.Response:
        change(book, updates=int(request.query["updates"]), deletes=int(request.query["deletes"]))
        return web.json_response({"contacts": len(book.contacts)})

    async with ContactSourceFake(book, port=port, more=[web.post("/change", change_some)]):
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--contacts", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.contacts))


if __name__ == "__main__":
    main()

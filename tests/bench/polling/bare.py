"""The least that a full sync can cost: HTTP, msgspec and an upsert in one loop.

`python -m tests.bench.polling.bare URL DATA PAGE_SIZE`. It has no retries, no mapping, no hashes, no normalising, and a
crash means to begin again: nobody should run this.
"""

import asyncio
import sqlite3
from pathlib import Path

import aiohttp
import msgspec

from tests.bench.polling.told import tell

UPSERT = "INSERT INTO contacts VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET contact = excluded.contact"


class Contact(msgspec.Struct, gc=False):
    id: str
    first_name: str
    last_name: str
    company: str
    type: str
    phones: list[dict[str, str]]
    emails: list[dict[str, str]]


class Page(msgspec.Struct, gc=False):
    contacts: list[Contact]
    has_more: bool = False


_decode = msgspec.json.Decoder(Page).decode
_encode = msgspec.json.Encoder().encode


async def sync(url: str, data: Path, page_size: int) -> int:
    """Give how many contacts are stored then."""
    database = sqlite3.connect(data / "bare.sqlite3", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        database.execute(f"PRAGMA {pragma}")
    database.execute("CREATE TABLE IF NOT EXISTS contacts (id TEXT PRIMARY KEY, contact BLOB) WITHOUT ROWID")
    async with aiohttp.ClientSession() as session:
        basic = {"Authorization": aiohttp.encode_basic_auth("test_id", "test_secret")}
        async with session.get(f"{url}/token", headers=basic) as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        page, more = 1, True
        while more:
            async with session.get(f"{url}/contacts?limit={page_size}&page={page}", headers=headers) as answer:
                found = _decode(await answer.read())
            database.execute("BEGIN IMMEDIATE")
            database.executemany(UPSERT, [(contact.id, _encode(contact)) for contact in found.contacts])
            database.execute("COMMIT")
            page, more = page + 1, found.has_more
    stored: int = database.execute("SELECT count(*) FROM contacts").fetchone()[0]
    return stored


if __name__ == "__main__":
    tell(lambda url, data, page_size: asyncio.run(sync(url, data, page_size)))

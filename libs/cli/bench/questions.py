"""What is asked of a contact book, and how long each answer takes."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from libs.cli.bench.books import COMMON, LATEST, RARE, RARELY, STATUSES, Book, email_of, phone_of

_TELECRM: Final = "/autoupdate/v2/enterprise/default"
_PAGE: Final = 100
_DEEP: Final = 1000
"""The page that is asked for where the book is long enough."""
_HUNDRED: Final = 100
_POLL_SECONDS: Final = 0.002

Ask = Callable[[Book, random.Random], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Question:
    """`ask` returns seconds, and raises when the answer is not the one that is due."""

    name: str
    ask: Ask


async def get_lead(book: Book, chance: random.Random) -> float:
    """By its id, which is looked up first and not timed."""
    phone = phone_of(chance.randrange(book.contacts))
    _, found = await _search(book, {"phone": [phone]})
    seconds, lead = await _timed(book, "GET", f"{_TELECRM}/lead/{found['data'][0]['id']}", book.telecrm)
    _require(lead["fields"]["phone"] == phone, lead)
    return seconds


async def search_identifier(book: Book, chance: random.Random) -> float:
    """One of all phones."""
    seconds, found = await _search(book, {"phone": [phone_of(chance.randrange(book.contacts))]})
    _require(len(found["data"]) == 1, found)
    return seconds


async def search_status_first(book: Book, chance: random.Random) -> float:
    """Page 1 of a status that a third of the book has."""
    return await _status_page(book, chance, page=1)


async def search_status_deep(book: Book, chance: random.Random) -> float:
    """Page 1000, or else the last full one."""
    return await _status_page(book, chance, page=deep_page(book.contacts))


def deep_page(contacts: int) -> int:
    """Page 1000 of a status, or else the last one that is full."""
    return max(1, min(_DEEP, contacts // len(STATUSES) // _PAGE))


async def _status_page(book: Book, chance: random.Random, *, page: int) -> float:
    seconds, found = await _search(book, {"status": [chance.choice(STATUSES)]}, skip=(page - 1) * _PAGE, limit=_PAGE)
    _require(len(found["data"]) == _PAGE, found)
    return seconds


async def query_rare(book: Book, _: random.Random) -> float:
    """A name of as many contacts in either book, whole."""
    seconds, found = await _timed(book, "GET", "/api/connect/contacts", book.connect, params={"query": RARE})
    _require(len(found) == RARELY, len(found))
    return seconds


async def query_common(book: Book, _: random.Random) -> float:
    """A name of every tenth contact: what a hundred of the list's first part took, which alone is waited for."""
    began = time.perf_counter()
    async with book.session.get("/api/connect/contacts", headers=book.connect, params={"query": COMMON}) as answer:
        part = b""
        while part.count(b'"fullName"') < _HUNDRED:
            _require(bool(more := await answer.content.readany()), answer.status)
            part += more
        seconds = time.perf_counter() - began
        answer.close()
    return seconds * _HUNDRED / part.count(b'"fullName"')


async def query_email(book: Book, chance: random.Random) -> float:
    """An e-mail whose letters nearly all contacts have, in another order."""
    email = email_of(chance.randrange(book.contacts))
    seconds, found = await _timed(book, "GET", "/api/connect/contacts", book.connect, params={"query": email})
    _require([contact["email"] for contact in found] == [email], len(found))
    return seconds


async def delta(book: Book, _: random.Random) -> float:
    """The latest hundred changes; page 1, so that a walk begins anew."""
    params = {"timestamp": str(book.since), "limit": str(LATEST)}
    seconds, found = await _timed(book, "GET", "/contact-source/contacts/delta", book.source, params=params)
    _require(len(found["updated"]) == LATEST, len(found["updated"]))
    return seconds


async def create_lead(book: Book, chance: random.Random) -> float:
    """With a phone that nobody has."""
    fields = {"phone": _new_phone(chance), "name": "Иван Новый", "status": STATUSES[0]}
    seconds, _ = await _timed(book, "POST", f"{_TELECRM}/lead", book.telecrm, body={"fields": fields})
    return seconds


async def import_one(book: Book, chance: random.Random) -> float:
    """From the request to the job's end, when the book has the contact."""
    contact = {"phone": f"+{_new_phone(chance)}", "additionalFields": {"first_name": "Иван"}}
    headers = book.importing | {"Idempotency-Key": str(uuid.UUID(int=chance.getrandbits(128)))}
    began = time.perf_counter()
    _, job = await _timed(book, "POST", "/v1/contacts/import", headers, body=[contact])
    status = ""
    while status not in {"completed", "failed"}:
        await asyncio.sleep(_POLL_SECONDS)  # a job's end is asked for: nobody is told
        status = (await _timed(book, "GET", f"/v1/contacts/import/{job['job_id']}", book.importing))[1]["status"]
    _require(status == "completed", status)
    return time.perf_counter() - began


def _new_phone(chance: random.Random) -> str:
    return f"791{chance.randrange(10**8):08d}"


async def _search(book: Book, fields: dict[str, list[str]], *, skip: int = 0, limit: int = 10) -> tuple[float, Any]:
    params = {"skip": str(skip), "limit": str(limit)}
    return await _timed(book, "POST", f"{_TELECRM}/lead/search", book.telecrm, params=params, body={"fields": fields})


async def _timed(
    book: Book,
    verb: str,
    path: str,
    headers: dict[str, str],
    *,
    params: dict[str, str] | None = None,
    body: Any = None,
) -> tuple[float, Any]:
    """Until the whole answer is there, and the answer. Raises when it is no success."""
    content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
    media = {} if content is None else {"Content-Type": "application/json"}
    began = time.perf_counter()
    async with book.session.request(verb, path, headers=headers | media, params=params, data=content) as answer:
        text = await answer.read()
        seconds = time.perf_counter() - began
    _require(answer.ok, f"{verb} {path}: {answer.status} {text[:200]!r}")
    return seconds, json.loads(text)


def _require(right: bool, found: object) -> None:  # noqa: FBT001 — an assertion that stays under -O
    if not right:
        raise RuntimeError(f"the book gave another answer than it must: {found}")


READS: Final = (
    Question("get_lead", get_lead),
    Question("search_by_identifier", search_identifier),
    Question("search_by_status_page_1", search_status_first),
    Question("search_by_status_deep_page", search_status_deep),
    Question("connect_query_rare", query_rare),
    Question("connect_query_common_per_100", query_common),
    Question("connect_query_email", query_email),
    Question("delta_of_100", delta),
)
WRITES: Final = (Question("create_lead", create_lead), Question("import_of_1_applied", import_one))

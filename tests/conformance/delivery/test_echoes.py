"""What every memory of echoes promises: in memory, SQLite and PostgreSQL."""

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from libs.storage import Database, Statement
from services.delivery.domain.destination import Destination, DestinationKind
from services.delivery.domain.echo import Written, system_of
from services.delivery.handler.echoes import EchoRecognizer
from services.delivery.ports import Echoes
from services.delivery.store.echoes import KEPT, MemoryEchoes, SqlEchoes
from services.delivery.store.memory import MemoryDestinations
from tests.fixtures.databases import Databases
from tests.integration.delivery.parcels import destination
from tests.unit.delivery.world import HandClock

MIGRATIONS = Path(__file__).parents[3] / "services" / "delivery" / "migrations"
CRM = destination(DestinationKind.TELECRM, "https://crm.example/v2", enterprise_id="e1")
SYSTEM = system_of(CRM)


def digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def echoes(request: pytest.FixtureRequest, databases: Databases, clock: HandClock) -> Echoes:
    if request.param == "memory":
        return MemoryEchoes(digest)
    return SqlEchoes(await databases.open(request.param, MIGRATIONS), digest=digest, clock=clock)


def record(remote_id: str = "a1", **values: str) -> Written:
    return Written(remote_id=remote_id, values=values)


async def test_what_was_written_last_is_an_echo_and_nothing_else_is(echoes: Echoes) -> None:
    await echoes.remember(CRM, [record(phone="+79001234567", email="a@b.in"), record("a2", company="Acme")])
    await echoes.remember(CRM, [record(email="New@b.in "), record(first_name="Asha"), record("a3")])

    seen = [
        (record(phone="+79001234567", email="new@B.in", first_name="Asha"), True),
        (record(phone=" +79001234567"), True),
        (record(email="a@b.in"), False),
        (record(phone="+79001234567", email="other@b.in"), False),
        (record(phone="+79001234567", company="Acme"), False),
        (record(phone="+79001234567", note="x"), False),
        (record(phone=""), False),
        (record(), False),
        (record("a2", company="Acme"), True),
        (record("a3", company="Acme"), False),
        (record("a4", company="Acme"), False),
    ]

    assert await echoes.recognize([SYSTEM], [each for each, _ in seen]) == [expected for _, expected in seen]


async def test_another_system_did_not_write_it_and_of_several_one_is_enough(echoes: Echoes) -> None:
    other = replace(CRM, enterprise_id="e2")
    await echoes.remember(CRM, [record(phone="+79001234567")])
    await echoes.remember(other, [record(phone="+79001234568")])

    seen = [record(phone="+79001234567"), record(phone="+79001234568")]

    assert await echoes.recognize([SYSTEM], seen) == [True, False]
    assert await echoes.recognize([system_of(other)], seen) == [False, True]
    assert await echoes.recognize([SYSTEM, system_of(other)], seen) == [True, True]
    assert await echoes.recognize([], seen) == [False, False]


async def test_many_that_write_one_record_at_once_leave_every_field(echoes: Echoes) -> None:
    values = {"phone": "+7", "email": "a@b.in", "first_name": "A", "last_name": "B", "company": "C"}

    await asyncio.gather(*(echoes.remember(CRM, [record(**{name: value})]) for name, value in values.items()))

    assert await echoes.recognize([SYSTEM], [record(**values)]) == [True]


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, databases: Databases) -> Database:
    return await databases.open(request.param, MIGRATIONS)


async def test_what_no_source_can_read_as_news_any_more_is_pruned(database: Database, clock: HandClock) -> None:
    echoes = SqlEchoes(database, digest=digest, clock=clock)
    await echoes.remember(CRM, [record(phone="+7")])

    clock.advance(KEPT)
    await echoes.remember(CRM, [record("a2", phone="+8")])
    kept = await echoes.recognize([SYSTEM], [record(phone="+7")])
    clock.advance(timedelta(hours=1))
    await echoes.remember(CRM, [record("a3", phone="+9")])

    assert kept == [True]
    assert await echoes.recognize([SYSTEM], [record(phone="+7"), record("a2", phone="+8")]) == [False, True]


async def test_nothing_of_a_contact_is_on_disk(database: Database, clock: HandClock) -> None:
    await SqlEchoes(database, digest=digest, clock=clock).remember(CRM, [record(phone="+79001234567", company="Acme")])

    rows = await database.fetch(Statement(text("SELECT * FROM echoes")))

    assert len(rows) == 1
    assert "Acme" not in repr(rows)
    assert "79001234567" not in repr(rows)


async def ask(url: str, *known: Destination) -> list[bool]:
    """Whether the source of this URL reads what was written to the first of the destinations."""
    destinations, echoes = MemoryDestinations(), MemoryEchoes(digest)
    for each in known:
        await destinations.put(each)
    await echoes.remember(known[0], [record(phone="+7")])
    return list(await EchoRecognizer(destinations, echoes).recognize(url, [record(phone="+7")]))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://crm.example/v2", True),
        ("HTTPS://CRM.example:443/v2/", True),
        ("https://crm.example/v2/enterprise/e1", True),
        ("https://crm.example/v2/enterprise/e2", False),
        ("http://crm.example/v2", False),
        ("https://crm.example:8443/v2", False),
        ("https://crm.example", False),
    ],
)
async def test_a_source_is_known_by_its_url(url: str, expected: bool) -> None:
    assert await ask(url, CRM) == [expected]


@pytest.mark.parametrize("path", ["", "/", "/api/connect", "/api/connect/contacts"])
async def test_the_documented_paths_of_connect_may_be_left_out(path: str) -> None:
    connect = destination(DestinationKind.CONNECT, "https://c.example/api/connect")

    assert await ask(f"https://c.example{path}", connect) == [True]


async def test_a_webhook_is_never_read() -> None:
    assert await ask("https://h.example/", destination(DestinationKind.WEBHOOK, "https://h.example/")) == [False]

"""Destinations with all their settings, and what the ledger tells operators."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import bindparam, null, update

from libs.storage import Statement, Transaction, table_of
from services.delivery.domain.delivery import Attempt, ChunkId, DeliveryState, Ref
from services.delivery.domain.destination import Credentials, Destination, DestinationKind
from services.delivery.domain.errors import InvalidDestinationError, Violation
from services.delivery.domain.success import SuccessRule
from services.delivery.domain.tags import TagFilter
from services.delivery.store.tables import DestinationRow
from services.delivery.vault import Vault
from tests.conformance.delivery.operating import OTHER, SECOND, P, Store, sql_store, tried
from tests.conformance.delivery.test_store import MIGRATIONS
from tests.fixtures.databases import Databases
from tests.unit.delivery.world import HOOK, NOW, ref


def rich() -> Destination:
    return Destination(
        destination_id=HOOK,
        name="crm",
        kind=DestinationKind.TELECRM,
        created_at=NOW,
        url="https://crm.example/",
        secrets=("new-new-new-new-1", "old-old-old-old-1"),
        old_secrets_until=NOW + SECOND,
        credentials=Credentials(token="t-1", api_key="k-1"),
        enterprise_id="acme",
        headers={"X-Tenant": "тайна"},
        chunk_size=7,
        concurrency=3,
        rate=0.5,
        tags=TagFilter(any_of=("vip", "лид"), none_of=("test",)),
        success=SuccessRule(statuses=(200, 409), body_field="a.b", body_equals="1"),
        fields={"email": "mail"},
        lead_status="New",
        idempotent=False,
    )


async def test_every_setting_of_a_destination_comes_back_as_it_was(store: Store) -> None:
    await store.destinations.put(rich())

    assert await store.destinations.find(HOOK) == rich()


async def test_a_change_is_made_on_what_is_there_now(store: Store) -> None:
    await store.destinations.put(rich())

    async def rename(index: int) -> None:
        await store.destinations.change(HOOK, lambda known: replace(known, name=f"{known.name}{index}"))

    await asyncio.gather(*(rename(index) for index in range(5)))

    found = await store.destinations.find(HOOK)
    assert found is not None
    assert sorted(found.name) == sorted("crm01234")
    assert await store.destinations.change(OTHER, lambda known: known) is None


async def test_a_change_that_is_refused_changes_nothing(store: Store) -> None:
    await store.destinations.put(rich())

    def refuse(known: Destination) -> Destination:
        raise InvalidDestinationError(Violation("/name", "no", "no"))

    with pytest.raises(InvalidDestinationError):
        await store.destinations.change(HOOK, refuse)

    assert await store.destinations.find(HOOK) == rich()


async def test_a_removed_destination_is_gone_at_once(store: Store) -> None:
    await store.destinations.put(rich())
    await store.destinations.find(HOOK)

    removed = [await store.destinations.remove(HOOK) for _ in range(2)]

    assert removed == [True, False]
    assert await store.destinations.find(HOOK) is None


async def test_a_pause_keeps_its_reason_until_it_ends(store: Store) -> None:
    await store.destinations.put(rich())

    paused = await store.destinations.set_paused(HOOK, paused=True, reason="It answered 401.")
    resumed = await store.destinations.set_paused(HOOK, paused=False)

    assert paused is not None
    assert resumed is not None
    assert (paused.pause_reason, resumed.pause_reason) == ("It answered 401.", "")


def attempt(of: Ref, number: int, *, message: str = "It answered 503.", answer: str = "") -> Attempt:
    return Attempt(
        key=of.key, number=number, started_at=NOW + number * SECOND, duration=SECOND, status=503, message=message,
        answer=answer,
    )  # fmt: skip


async def test_what_came_back_is_kept_for_a_while(store: Store) -> None:
    for number in (1, 2):
        await store.ledger.record(tried(ref(), P, count=number), attempt(ref(), number, answer=f"нет {number}"))
    listed = await store.ledger.attempts(ref().key.chunk_id, HOOK) or []

    forgotten = [await store.ledger.forget_answers(before=NOW + 2 * SECOND) for _again in range(2)]

    left = await store.ledger.attempts(ref().key.chunk_id, HOOK) or []
    assert [each.answer for each in listed] == ["нет 1", "нет 2"]
    assert forgotten == [1, 0]
    assert [each.answer for each in left] == ["", "нет 2"]


async def test_what_came_back_about_some_chunks_is_forgotten_on_request(store: Store) -> None:
    refs = [ref("job.1"), ref("job.1", OTHER), ref("job.2")]
    for of in refs:
        await store.ledger.record(tried(of, P), attempt(of, 1, answer="no"))

    for _again in range(2):
        await store.ledger.forget_answers_of([ChunkId("job.1"), ChunkId("job.9")])

    listed = [await store.ledger.attempts(of.key.chunk_id, of.key.destination_id) or [] for of in refs]
    assert [(each.message, each.answer) for (each,) in listed] == [
        ("It answered 503.", ""), ("It answered 503.", ""), ("It answered 503.", "no"),
    ]  # fmt: skip


async def test_the_last_errors_of_a_destination_are_told(store: Store) -> None:
    for number in range(1, 5):
        message = "" if number == 3 else f"no {number}"
        await store.ledger.record(tried(ref(), P, count=number), attempt(ref(), number, message=message))
    await store.ledger.record(tried(ref("job.9", OTHER), P), attempt(ref("job.9", OTHER), 9))

    errors = await store.ledger.last_errors(HOOK, limit=2)

    assert [each.message for each in errors] == ["no 4", "no 2"]


async def test_what_waits_can_be_brought_forward(store: Store) -> None:
    await store.ledger.record(structs.replace(tried(ref("job.1"), P), due_at=NOW + 9 * SECOND))
    await store.ledger.record(structs.replace(tried(ref("job.2"), P), due_at=NOW - SECOND))
    await store.ledger.record(structs.replace(tried(ref("job.3"), P), due_at=NOW + SECOND, state=DeliveryState.SENDING))
    await store.ledger.record(structs.replace(tried(ref("job.4", OTHER), P), due_at=NOW + SECOND))

    hastened = await store.ledger.hasten(HOOK, now=NOW)

    assert hastened == 1
    assert {each.ref.key.chunk_id for each in await store.ledger.due(HOOK, now=NOW, limit=9)} == {"job.1", "job.2"}


async def test_nothing_that_is_secret_is_on_disk_in_clear(databases: Databases, tmp_path: Path) -> None:
    store = sql_store(await databases.open("sqlite", MIGRATIONS))
    await store.destinations.put(rich())
    await store.ledger.record(tried(ref(), P), attempt(ref(), 1, answer="+79001234567 is wrong"))
    assert store.database is not None
    await store.database.close()

    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    for secret in ("new-new-new-new-1", "t-1", "k-1", "тайна", "79001234567"):
        assert secret.encode() not in written
    assert b"https://crm.example/" in written


async def test_a_secret_from_before_there_could_be_several_still_signs(databases: Databases) -> None:
    store = sql_store(await databases.open("sqlite", MIGRATIONS))
    plain = replace(rich(), secrets=(), headers={}, credentials=Credentials(), old_secrets_until=None)
    await store.destinations.put(plain)
    sealed = Vault(b"m" * 32).seal("whsec_c2VjcmV0", destination_id=HOOK)
    set_old = update(table_of(DestinationRow)).values(sealed_secret=bindparam("secret"), sealed_secrets=null())
    old = Statement(set_old, "secret")

    async def unit(transaction: Transaction) -> int:
        return await transaction.execute(old, (sealed,))

    assert store.database is not None
    await store.database.write(unit)

    [found] = await sql_store(store.database).destinations.list()
    assert found.secrets == ("whsec_c2VjcmV0",)

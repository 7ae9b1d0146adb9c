"""Leads that the Async API has accepted, on every store."""

import asyncio
from datetime import timedelta

import pytest

from services.directory.domain.telecrm.moments import to_millis
from services.directory.main import MIGRATIONS
from services.directory.store.stores import memory_stores, sql_stores
from tests.fixtures.databases import Databases
from tests.fixtures.telecrm import WORKSPACE, Telecrm, phone, telecrm_over, utc_now

PAID = {"type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "5"}


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def telecrm(request: pytest.FixtureRequest, databases: Databases) -> Telecrm:
    if request.param == "memory":
        return await telecrm_over(memory_stores(clock=utc_now))
    database = await databases.open(request.param, MIGRATIONS)
    return await telecrm_over(await sql_stores(database, clock=utc_now))


async def test_what_is_accepted_waits_in_order_and_is_made_known(telecrm: Telecrm) -> None:
    entries = [await telecrm.queue({"fields": {"phone": phone(n)}}) for n in range(5)]

    waiting = await telecrm.apis.intake.waiting()

    assert waiting == entries
    assert [entry for entry, _ in telecrm.announced.entries] == entries


async def test_a_lead_is_created_and_then_updated(telecrm: Telecrm) -> None:
    first = await telecrm.queue({"fields": {"phone": phone(1), "name": "Jane", "note": "n"}, "actions": [PAID]})
    second = await telecrm.queue({"fields": {"phone": "+" + phone(1), "name": "Janet", "rating": 9}, "actions": [PAID]})

    assert [await telecrm.apis.intake.apply(entry) for entry in (first, second)] == [True, True]

    [row] = (await telecrm.search())["data"]
    assert row["fields"] == {"phone": phone(1), "name": "Janet", "note": "n", "status": "Fresh"}
    assert len(await telecrm.actions(row["id"])) == 2
    assert await telecrm.apis.intake.waiting() == []


async def test_an_entry_is_done_once_however_often_it_is_tried(telecrm: Telecrm) -> None:
    entry = await telecrm.queue({"fields": {"phone": phone(1), "name": "Jane"}, "actions": [PAID]})

    await asyncio.gather(*(telecrm.apis.intake.apply(entry) for _ in range(10)))
    later = await telecrm.queue({"fields": {"phone": phone(1), "name": "Janet"}})
    await telecrm.apis.intake.apply(later)
    await telecrm.apis.intake.apply(entry)

    [row] = (await telecrm.search())["data"]
    assert row["fields"]["name"] == "Janet"
    assert len(await telecrm.actions(row["id"])) == 1


async def test_leads_that_come_at_once_by_both_ways_are_one(telecrm: Telecrm) -> None:
    entries = [await telecrm.queue({"fields": {"phone": phone(1)}, "actions": [PAID]}) for _ in range(10)]

    await asyncio.gather(
        *(telecrm.apis.intake.apply(entry) for entry in entries),
        *(telecrm.create(fields={"phone": phone(1)}, actions=[PAID]) for _ in range(10)),
        return_exceptions=True,
    )

    [row] = (await telecrm.search())["data"]
    assert len(await telecrm.actions(row["id"])) in {10, 11}


@pytest.mark.parametrize("fields", [{}, {"name": "Jane"}, {"phone": "99"}, {"phone": None}])
async def test_a_lead_without_an_identifier_is_dropped(telecrm: Telecrm, fields: dict[str, object]) -> None:
    entry = await telecrm.queue({"fields": fields})

    assert not await telecrm.apis.intake.apply(entry)

    assert await telecrm.apis.intake.waiting() == []
    assert (await telecrm.search())["total_count"] == 0


async def test_locked_fields_and_bare_codes_are_left_out(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1), "locked": "a"})
    actions = [{"type": "1001"}, {"type": "ACTION_1002"}, {"type": "ACTION_9"}]
    entry = await telecrm.queue({"fields": {"phone": phone(1), "locked": "b", "note": "n"}, "actions": actions})

    await telecrm.apis.intake.apply(entry)

    fields = await telecrm.fields(made.lead_id)
    assert (fields["locked"], fields["note"]) == ("a", "n")
    assert [each["type"] for each in await telecrm.actions(made.lead_id)] == ["1002"]


async def test_an_entry_that_failed_waits_longer_each_time(telecrm: Telecrm) -> None:
    entry = await telecrm.queue({"fields": {"phone": phone(1)}})

    await telecrm.apis.intake.put_off(entry)

    assert await telecrm.apis.intake.waiting() == []
    [later] = await telecrm.stores.intake.waiting(now=utc_now() + timedelta(minutes=1), limit=10)
    assert (later.entry_id, later.attempts) == (entry.entry_id, 1)
    assert to_millis(later.due_at) > to_millis(entry.due_at)


async def test_an_entry_of_a_workspace_that_is_not_there_is_dropped(telecrm: Telecrm) -> None:
    entry = await telecrm.apis.intake.accept(type(WORKSPACE)("nowhere"), '{"fields": {}}')

    assert not await telecrm.apis.intake.apply(entry)

    assert await telecrm.apis.intake.waiting() == []

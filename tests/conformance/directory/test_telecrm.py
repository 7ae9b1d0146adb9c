"""The telecrm use cases on every store."""

import asyncio
from typing import Any

import pytest

from services.directory.domain.telecrm.refusals import (
    ActionNotFoundError,
    BadRequestError,
    InvalidValueError,
    LeadExistsError,
    LeadNotFoundError,
    NoSeatError,
)
from services.directory.main import MIGRATIONS
from services.directory.store.stores import memory_stores, sql_stores
from tests.fixtures.databases import Databases
from tests.fixtures.telecrm import WORKSPACE, Telecrm, phone, telecrm_over, utc_now


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def telecrm(request: pytest.FixtureRequest, databases: Databases) -> Telecrm:
    if request.param == "memory":
        return await telecrm_over(memory_stores(clock=utc_now))
    database = await databases.open(request.param, MIGRATIONS)
    return await telecrm_over(await sql_stores(database, clock=utc_now))


async def test_of_two_hundred_creates_of_one_identifier_at_once_one_is_made(telecrm: Telecrm) -> None:
    spellings = ("9000000001", "919000000001", "+919000000001", "+91 90000 00001")

    made = await asyncio.gather(
        *(telecrm.create(fields={"phone": spellings[n % 4], "name": f"n{n}"}) for n in range(200)),
        return_exceptions=True,
    )

    refused = [each for each in made if isinstance(each, BaseException)]
    assert {type(each) for each in refused} == {LeadExistsError}
    assert (len(made) - len(refused), len(refused)) == (1, 199)
    assert (await telecrm.search())["total_count"] == 1


async def test_actions_of_a_new_lead_are_there_with_it(telecrm: Telecrm) -> None:
    note = {"type": "1001", "fields": {"note": "n"}}
    paid = {"type": "PAYMENT", "status": "PENDING", "currency": "INR", "amount": "1.50"}

    made = await telecrm.create(fields={"phone": phone(1)}, actions=[note, {"type": "9"}, paid])

    shown = await telecrm.actions(made.lead_id)
    assert [each is None for each in made.action_ids] == [False, True, False]
    assert shown == [{"id": made.action_ids[2], **paid}, {"id": made.action_ids[0], **note}]


async def test_a_refused_create_leaves_nothing_behind(telecrm: Telecrm) -> None:
    await telecrm.create(fields={"phone": phone(1)})

    with pytest.raises(LeadExistsError):
        await telecrm.create(fields={"phone": phone(1), "contact_source": "New label"}, actions=[{"type": "1002"}])

    workspace = await telecrm.apis.enterprise.get(WORKSPACE)
    source = workspace.fields.find("contact_source")
    assert source is not None
    assert [option.label for option in source.options] == ["Website", "Referral"]
    assert (await telecrm.search(actions={"type": "1002"}))["total_count"] == 0


async def test_an_unknown_label_becomes_an_option_once(telecrm: Telecrm) -> None:
    made = await asyncio.gather(
        *(telecrm.create(fields={"phone": phone(n), "contact_source": "Fair"}) for n in range(8))
    )
    await telecrm.apis.leads.update(WORKSPACE, made[0].lead_id, {"fields": {"contact_source": "Street"}})

    field = await telecrm.apis.enterprise.field(WORKSPACE, "contact_source")

    assert [option.label for option in field.options] == ["Website", "Referral", "Fair", "Street"]
    assert len({option.option_id for option in field.options}) == 4


async def test_a_bad_value_changes_nothing(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1), "name": "Jane"})
    before = await telecrm.fields(made.lead_id)

    with pytest.raises(InvalidValueError):
        await telecrm.apis.leads.update(WORKSPACE, made.lead_id, {"fields": {"name": "Janet", "rating": 9}})

    assert await telecrm.fields(made.lead_id) == before


async def test_changes_of_one_lead_at_once_lose_nothing(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1)})
    names = ["note", "company", "budget", "email", "name", "locked_not"][:5]
    values: dict[str, Any] = dict(zip(names, ["n", "Acme", "10", "a@b.co", "Jane Doe"], strict=True))

    await asyncio.gather(
        *(telecrm.apis.leads.update(WORKSPACE, made.lead_id, {"fields": {name: values[name]}}) for name in names)
    )

    assert (await telecrm.fields(made.lead_id)).items() >= values.items()


async def test_searches_are_exact_and_combine(telecrm: Telecrm) -> None:
    for number, (name, status, source) in enumerate(
        [("Jane Doe", "Won", "Website"), ("jane doe", "Fresh", "Fair"), ("Jane", "Won", "Website"), ("100%", "Won", "")]
    ):
        given = {"phone": phone(number), "name": name, "status": status} | (
            {"contact_source": source} if source else {}
        )
        await telecrm.create(fields=given)
    first, second, third, fourth = (phone(number) for number in range(4))

    assert await telecrm.phones() == [fourth, third, second, first]
    assert await telecrm.phones(fields={"name": "JANE DOE"}) == [second, first]
    assert await telecrm.phones(fields={"name": ["jane", "100%"]}) == [fourth, third]
    assert await telecrm.phones(fields={"name": "%"}) == []
    assert await telecrm.phones(fields={"name": "Jane_Doe"}) == []
    assert await telecrm.phones(fields={"status": "Won", "contact_source": "website"}) == [third, first]
    assert await telecrm.phones(fields={"status": "won"}) == []
    assert await telecrm.phones(fields={"status": ["Won", "Fresh"], "name": "jane doe"}) == [second, first]
    assert await telecrm.phones(fields={"phone": "+91 90000 00002"}) == [third]
    assert await telecrm.phones(fields={"name": "' OR 1=1 --"}) == []


async def test_one_action_must_meet_all_of_a_filter(telecrm: Telecrm) -> None:
    early, late = 1_700_000_000_000, 1_760_000_000_000
    await telecrm.create(
        fields={"phone": phone(1)},
        actions=[{"type": "1001", "created_on": early}, {"type": "1002", "created_on": late}],
    )
    await telecrm.create(fields={"phone": phone(2)}, actions=[{"type": "1001", "created_on": late}])

    assert await telecrm.phones(actions={"type": "1001"}) == [phone(2), phone(1)]
    assert await telecrm.phones(actions={"type": "1001", "performed_at": {"from": late}}) == [phone(2)]
    assert await telecrm.phones(actions={"type": ["1001", "1002"], "performed_at": {"from": late, "to": late}}) == [
        phone(2), phone(1),
    ]  # fmt: skip
    assert await telecrm.phones(actions={"type": "OUTGOING_CALL"}) == []
    assert await telecrm.phones(actions={"performed_by": "nobody@example.com"}) == []


async def test_pages_meet_every_lead_once_in_one_order(telecrm: Telecrm) -> None:
    for number in range(25):
        await telecrm.create(fields={"phone": phone(number), "status": "Won"})

    pages = [await telecrm.phones(skip=skip, limit=10, fields={"status": "Won"}) for skip in (0, 10, 20, 30)]

    assert [len(page) for page in pages] == [10, 10, 5, 0]
    assert [each for page in pages for each in page] == [phone(number) for number in reversed(range(25))]
    assert (await telecrm.search(skip=20, fields={"status": "Won"}))["total_count"] == 25


async def test_times_of_creation_are_inclusive(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1)})
    found = await telecrm.apis.leads.find(WORKSPACE, made.lead_id)
    at = int(found.created_at.timestamp() * 1000)

    assert await telecrm.phones(fields={"created_on": {"from": at, "to": at}}) == [phone(1)]
    assert await telecrm.phones(fields={"created_on": {"from": at + 1}}) == []
    assert await telecrm.phones(fields={"created_on": {"to": at - 1}}) == []


async def test_what_is_not_there_is_told_so(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1)}, actions=[{"type": "1002"}])
    other = await telecrm.create(fields={"phone": phone(2)})
    action_id = str(made.action_ids[0])

    for lead_id in ("", "62ab16e", "' OR 1=1", "0" * 36, other.lead_id.upper(), "\x00"):
        with pytest.raises(LeadNotFoundError):
            await telecrm.fields(lead_id)
    for of, which in ((other.lead_id, action_id), (made.lead_id, "62ab16e"), (made.lead_id, made.lead_id)):
        with pytest.raises(ActionNotFoundError):
            await telecrm.apis.actions.get(WORKSPACE, of, which)


async def test_actions_that_cannot_be_written_refuse_the_whole_request(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1)})

    with pytest.raises(BadRequestError) as caught:
        await telecrm.apis.actions.add(
            WORKSPACE, made.lead_id, {"actions": [{"type": "1002"}, {"type": "OUTGOING_CALL"}]}
        )

    assert caught.value.message == "Only custom actions and payment actions can be created"
    assert await telecrm.actions(made.lead_id) == []


async def test_a_payment_is_paid(telecrm: Telecrm) -> None:
    made = await telecrm.create(fields={"phone": phone(1)})
    paid = {"type": "PAYMENT", "status": "PENDING", "currency": "USD", "amount": "7"}
    added = await telecrm.apis.actions.add(WORKSPACE, made.lead_id, {"actions": [paid]})

    await telecrm.apis.actions.update(
        WORKSPACE, made.lead_id, str(added.action_ids[0]), {"type": "PAYMENT", "status": "COMPLETED"}
    )

    assert await telecrm.actions(made.lead_id) == [{"id": added.action_ids[0], **paid, "status": "COMPLETED"}]


async def test_no_more_members_than_seats_come_in_at_once(telecrm: Telecrm) -> None:
    def member(number: int) -> dict[str, str]:
        return {"name": f"n{number}", "email": f"{number}@b.co", "phone_number": phone(number), "role": "CALLER"}

    made = await asyncio.gather(
        *(telecrm.apis.team.add(WORKSPACE, member(n)) for n in range(20)), return_exceptions=True
    )

    assert sum(isinstance(each, NoSeatError) for each in made) == 10
    with pytest.raises(BadRequestError):
        await telecrm.apis.team.add(WORKSPACE, member(next(n for n in range(20) if not isinstance(made[n], Exception))))

"""Searches of the telecrm Sync API, row by row; marked as in test_leads_table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.telecrm.caller import Telecrm, phone, refused, unique


def test_rows_have_id_fields_and_status__c(telecrm: Telecrm) -> None:
    number = phone()
    made = telecrm.create(phone=number, status="Won")

    found = telecrm.search({"fields": {"phone": number}})

    row = {"id": made["lead_id"], "fields": {"phone": number, "status": "Won"}, "status": "Won"}
    assert found == {"data": [row], "total_count": 1, "skip": 0, "limit": 10}


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"fields": {}}', b'{"fields": {}, "actions": {}}'])
def test_an_empty_search_finds_all__s(telecrm: Telecrm, body: bytes) -> None:
    telecrm.create()

    found = telecrm.search(body, limit=1)

    assert len(found["data"]) == 1
    assert found["total_count"] >= 1


def test_newest_come_first_and_pages_meet_each_once__s(telecrm: Telecrm) -> None:
    name = unique()
    numbers = [phone() for _ in range(12)]
    for number in numbers:
        telecrm.create(phone=number, name=name)

    pages = [telecrm.search({"fields": {"name": name}}, skip=skip, limit=5) for skip in (0, 5, 10, 15)]

    assert [row["fields"]["phone"] for page in pages for row in page["data"]] == numbers[::-1]
    assert [(page["total_count"], page["skip"], page["limit"]) for page in pages] == [
        (12, 0, 5), (12, 5, 5), (12, 10, 5), (12, 15, 5),
    ]  # fmt: skip


def test_searches_are_exact_and_case_insensitive_but_for_status__s(telecrm: Telecrm) -> None:
    name, number = unique(), phone()
    telecrm.create(phone=number, name=f"Jane {name}", email=f"Jane.{name}@Example.com", status="Won")

    assert telecrm.phones(fields={"name": f"JANE {name.upper()}"}) == [number]
    assert telecrm.phones(fields={"email": f"jane.{name}@example.COM"}) == [number]
    assert telecrm.phones(fields={"name": f"Jane {name}", "status": "Won"}) == [number]
    for other in (
        {"name": name},
        {"name": f"Jane {name}%"},
        {"name": f"Jane_{name}"},
        {"email": f"{name}@example.com"},
    ):
        assert telecrm.phones(fields=other) == []
    assert telecrm.phones(fields={"name": f"Jane {name}", "status": "won"}) == []


def test_arrays_are_or_and_fields_are_and__d(telecrm: Telecrm) -> None:
    name = unique()
    won, fresh, rated = phone(), phone(), phone()
    telecrm.create(phone=won, name=name, status="Won")
    telecrm.create(phone=fresh, name=name, status="Fresh")
    telecrm.create(phone=rated, name=name, status="Lost", rating=5)

    assert telecrm.phones(fields={"name": name, "status": ["Won", "Lost"]}) == [rated, won]
    assert telecrm.phones(fields={"name": name, "status": ["Won", "Lost"], "rating": 5}) == [rated]
    assert telecrm.phones(fields={"phone": [won, f"+{fresh}"]}) == [fresh, won]
    assert telecrm.phones(fields={"name": name, "status": []}) == []


@pytest.mark.parametrize("text", ["%", "_", "'", '"', "\\", "' OR '1'='1", "%' --", "a\\u0027b", "🙂", "x" * 1_000_000])
def test_odd_text_is_only_text__i(telecrm: Telecrm, text: str) -> None:
    assert telecrm.phones(fields={"name": text}) == []


def test_every_type_of_field_can_be_searched__d(telecrm: Telecrm) -> None:
    number, mark = phone(), unique()
    given: dict[str, Any] = {
        "note": mark,
        "mobile": phone(),
        "deal_size": 156.5,
        "visit": 1672531200000,
        "contact_source": "Referral",
        "interests": ["VIP", mark],
        "budget": "1000",
        "site": f"https://example.com/{mark}",
        "rating": 2,
        "why_lost": "Too expensive",
    }
    telecrm.create(phone=number, **given)

    for name, value in given.items():
        found = telecrm.phones(fields={"note": mark, name: value[0] if isinstance(value, list) else value})
        assert found == [number], name
    assert telecrm.phones(fields={"note": mark, "visit": "01/01/2023"}) == [number]
    assert telecrm.phones(fields={"note": mark, "visit": "02/01/2023"}) == []


def test_created_on_is_inclusive__s(telecrm: Telecrm) -> None:
    name = unique()
    before = datetime.now(UTC)
    number = phone()
    telecrm.create(phone=number, name=name)
    after = datetime.now(UTC)

    def found(**created_on: Any) -> list[str]:
        return telecrm.phones(fields={"name": name, "created_on": created_on})

    since, until = (int(each.timestamp() * 1000) for each in (before, after))
    assert found(**{"from": since, "to": until}) == [number]
    assert found(**{"from": until + 1}) == []
    assert found(to=since - 1) == []
    today, tomorrow = (f"{before + timedelta(days=days):%d/%m/%Y}" for days in (0, 1))
    assert found(**{"from": today, "to": tomorrow}) == [number]
    assert found(**{"from": f"{today} 00:00:00"}) == [number]
    assert found() == [number]


def test_one_action_must_meet_all_criteria__s(telecrm: Telecrm) -> None:
    name, both, split = unique(), phone(), phone()
    early, late = 1_700_000_000_000, 1_760_000_000_000
    telecrm.create({"type": "1001", "created_on": late}, phone=both, name=name)
    telecrm.create({"type": "1001", "created_on": early}, {"type": "1002", "created_on": late}, phone=split, name=name)

    def found(**actions: Any) -> list[str]:
        return telecrm.phones(fields={"name": name}, actions=actions)

    assert found(type="1001") == [split, both]
    assert found(type=["1002", "PAYMENT"]) == [split]
    assert found(type="1001", performed_at={"from": late}) == [both]
    assert found(performed_at={"from": late, "to": late}) == [split, both]
    assert found(type="OUTGOING_CALL") == []
    assert found(performed_by="nobody@example.com") == []


def test_who_performed_an_action_is_searched_by_email__s(telecrm: Telecrm) -> None:
    email, number = f"{unique()}@example.com", phone()
    member = {"name": "Agent", "email": email, "phone_number": "919876543210", "role": "CALLER"}
    assert telecrm.post("team-members", member).status_code == 201
    telecrm.create({"type": "1001", "performed_by": email}, phone=number)

    assert telecrm.phones(actions={"performed_by": [email.upper(), "x@example.com"]}) == [number]


@pytest.mark.parametrize(
    "body",
    [
        {"fields": []},
        {"fields": "phone"},
        {"fields": {"who": "x"}},
        {"fields": {"name": None}},
        {"fields": {"name": {"a": 1}}},
        {"fields": {"created_on": "yesterday"}},
        {"fields": {"created_on": {"from": "2026-01-01"}}},
        {"fields": {"created_on": {"from": "31/02/2026"}}},
        {"fields": {"created_on": {"to": 1.5}}},
        {"actions": "1001"},
        {"actions": {"type": 5}},
        {"actions": {"performed_at": {"from": True}}},
    ],
)
def test_a_bad_search_is_400__i(telecrm: Telecrm, body: Any) -> None:
    refused(telecrm.post("lead/search", body), 400, "BAD_REQUEST")


@pytest.mark.parametrize("skip", ["-1", "1.5", "abc"])
def test_a_bad_skip_is_400__i(telecrm: Telecrm, skip: str) -> None:
    refused(telecrm.post("lead/search", {}, skip=skip), 400, "BAD_REQUEST")


def test_search_is_a_post_with_a_body__d(telecrm: Telecrm) -> None:
    refused(telecrm.get("lead/search", phone="919999999999"), 405, "METHOD_NOT_ALLOWED")

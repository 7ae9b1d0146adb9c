"""What is decided about pages, deletes and times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.source_polling.almanac import Almanac
from services.source_polling.digests import Digests
from services.source_polling.domain import fuse, schedule
from services.source_polling.domain.fingerprint import changed_fields
from services.source_polling.domain.record import (
    ContactType,
    ExternalId,
    Labeled,
    Skip,
    contact_type,
    email_label,
    phone_label,
)
from services.source_polling.domain.run import Run, RunId, Tally
from services.source_polling.domain.sifting import draft, flaw, sift
from services.source_polling.domain.source import Fuse, Schedule, SourceId, SourceKind
from tests.unit.source_polling.world import NOW, a_source, record

DAY = timedelta(days=1)
SOURCE = replace(a_source(), source_id=SourceId("src_1"))
WRITE = partial(draft, fingerprint=Digests(bytes(32))(SOURCE), may_echo=False)
ALMANAC = Almanac()


def a_run(*, known: int, full: bool = True, **tally: int) -> Run:
    return Run(
        run_id=RunId("r"),
        source_id=SourceId("s"),
        number=1,
        full=full,
        started_at=NOW,
        known=known,
        tally=Tally(**tally),
    )


@pytest.mark.parametrize(
    ("known", "deletes", "blows"),
    [
        (100, 20, False),
        (100, 21, True),
        (20, 10, False),
        (20, 11, True),
        (10, 9, False),
        (1000, 200, False),
        (1000, 201, True),
    ],
)
def test_fuse_needs_both_the_share_and_the_count(known: int, deletes: int, blows: bool) -> None:
    run = a_run(known=known, seen=known - deletes)

    assert (fuse.objection(Fuse(), run, deletes=deletes) is not None) == blows


def test_empty_full_answer_is_held_and_an_empty_delta_is_not() -> None:
    assert fuse.objection(Fuse(), a_run(known=3), deletes=3) is not None
    assert fuse.objection(Fuse(), a_run(known=3, full=False), deletes=3) is None
    assert fuse.objection(Fuse(), a_run(known=0), deletes=0) is None


def test_row_that_comes_twice_counts_once_as_it_came_last() -> None:
    records = [record(1), record(1, first_name="Olga")]

    sifted = sift([*map(WRITE, records)], [], known={})

    assert [change.text for change in sifted.changes] == [WRITE(records[1]).text]


def test_parts_of_a_sifted_page_are_all_of_it() -> None:
    known = {ExternalId("1"): WRITE(record(1)).fingerprint, ExternalId("2"): b"other"}
    records = [record(1), record(2), record(3, company="x" * 257)]

    sifted = sift([*map(WRITE, records)], [Skip(ExternalId("4"), "why")], known=known)

    assert sifted.unchanged == ("1",)
    assert [change.external_id for change in sifted.changes] == ["2"]
    assert [skip.external_id for skip in sifted.skipped] == ["4", "3"]


@pytest.mark.parametrize(
    "given",
    [
        {"first_name": "a\x00b"},
        {"emails": (Labeled("a" * 321),)},
        {"phones": (Labeled("1"),) * 51},
        {"tags": ("t",) * 101},
    ],
)
def test_contact_that_ingestion_would_refuse_is_left_out_with_a_reason(given: dict[str, Any]) -> None:
    assert flaw(record(1)) is None
    assert flaw(record(1, **given)) is not None


def test_hash_is_of_the_contact_and_not_of_the_order_of_its_keys() -> None:
    fingerprint = Digests(bytes(32))(SOURCE)

    assert fingerprint(record(1, extra={"a": 1, "b": 2})) == fingerprint(record(1, extra={"b": 2, "a": 1}))
    assert fingerprint(record(1)) != fingerprint(record(1, first_name="Olga"))
    assert fingerprint(record(1)) != Digests(b"o" * 32)(SOURCE)(record(1))
    assert fingerprint(record(1)) != Digests(bytes(32))(replace(SOURCE, source_id=SourceId("src_2")))(record(1))


def test_hash_is_what_earlier_releases_kept() -> None:
    given = record(1, tags=("a",), extra={"b": [1], "a": None}, emails=(Labeled("a@b.example", "private"),))

    digest, text = Digests(bytes(32))(SOURCE)(given)

    assert text.decode() == (
        '{"external_id":"1","first_name":"Anna","last_name":"Orlova","company":"","type":null,'
        '"phones":[{"value":"+79000000001","label":"mobile"}],"emails":[{"value":"a@b.example","label":"private"}],'
        '"tags":["a"],"extra":{"a":null,"b":[1]}}'
    )
    assert digest.hex() == "d03511692712d6ba1b18dab2f5645368"


def test_number_of_any_length_is_hashed() -> None:
    fingerprint = Digests(bytes(32))(SOURCE)

    assert fingerprint(record(1, extra={"n": 10**30})) != fingerprint(record(1, extra={"n": 10**30 + 1}))


def test_second_phone_is_a_change_of_its_own() -> None:
    fingerprint = Digests(bytes(32))(replace(SOURCE, kind=SourceKind.TELECRM))
    before, _ = fingerprint(record(1))
    more = record(1, phones=(*record(1).phones, Labeled("+79001112233")))

    assert fingerprint(more)[0] != before
    assert changed_fields(more, before, fingerprint(more)[0]) is None


def test_field_that_is_gone_is_no_echo() -> None:
    fingerprint = Digests(bytes(32))(replace(SOURCE, kind=SourceKind.CONNECT))
    (before, _), bare = fingerprint(record(1, company="eos")), record(1)

    assert changed_fields(bare, before, fingerprint(bare)[0]) is None


def test_labels_and_types_are_mapped_as_the_consumer_does() -> None:
    assert [phone_label(each) for each in ("fax", "Fax", None, 7)] == ["fax", "other", "other", "other"]
    assert [email_label(each) for each in ("private", "work", None)] == ["private", "other", "other"]
    assert [contact_type(each) for each in ("lead", "customer", "prospect", None)] == [
        ContactType.LEAD,
        *[ContactType.CUSTOMER] * 3,
    ]


def test_interval_is_from_start_to_start_with_a_little_jitter() -> None:
    plan = Schedule(interval=DAY)

    times = [schedule.next_run(plan, ALMANAC.next, now=NOW, chance=chance) for chance in (0.0, 0.999)]

    assert times[0] == NOW + DAY
    assert NOW + DAY < times[1] < NOW + DAY + timedelta(minutes=5)


def test_cron_line_names_the_next_time_and_missed_ones_are_one() -> None:
    plan = Schedule(cron="*/15 3 * * *")

    assert schedule.next_run(plan, ALMANAC.next, now=NOW, chance=0.5) == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("line", ["", "* * * *", "61 * * * *", "0 0 31 2 *", "every day"])
def test_line_that_means_nothing_is_found_out(line: str) -> None:
    assert ALMANAC.flaw(line) is not None


def test_line_that_means_something_has_no_flaw() -> None:
    assert ALMANAC.flaw("0 3 * * MON-FRI") is None


@pytest.mark.parametrize("plan", [Schedule(interval=DAY), Schedule(cron="0 3 * * *")])
def test_plan_that_a_clock_left_in_the_future_is_mended(plan: Schedule) -> None:
    year = timedelta(days=365)

    assert schedule.mended(NOW + year, plan, ALMANAC.next, now=NOW) <= NOW + DAY
    assert schedule.mended(NOW + DAY / 24, plan, ALMANAC.next, now=NOW) == NOW + DAY / 24

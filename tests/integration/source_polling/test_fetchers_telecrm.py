"""telecrm workspaces as sources, over real HTTP."""

from collections.abc import AsyncIterator

import pytest

from services.source_polling.domain.record import ContactType, Labeled
from services.source_polling.domain.source import Credentials, Source, SourceKind
from services.source_polling.ports.fetching import Deferred, Failed, Fetcher
from tests.fakes.leads import Bounds, Lead, LeadsFake
from tests.fakes.line import HTML, Say
from tests.integration.source_polling.reading import NOW, fetching, read, source

NOW_MS = int(NOW.timestamp() * 1000)
NEWEST_FIRST = ["5", "4", "3", "2", "1"]


def lead(number: int, *, created: int | None = None) -> Lead:
    at = NOW_MS - 1_000_000 + number if created is None else created
    return Lead(str(number), at, {"phone": f"91999999999{number}", "name": f"Lead {number}"})


@pytest.fixture
async def fake() -> AsyncIterator[LeadsFake]:
    async with LeadsFake([lead(number) for number in range(1, 6)]) as fake:
        yield fake


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with fetching() as fetcher:
        yield fetcher


def workspace(url: str, *, token: str = "sync-token", page_size: int = 2) -> Source:
    credentials = Credentials(token=token, enterprise_id="ent-1")
    return source(url, kind=SourceKind.TELECRM, credentials=credentials, page_size=page_size)


@pytest.mark.parametrize("tells_created", [True, False])
@pytest.mark.parametrize("tells_total", [True, False])
@pytest.mark.parametrize("bounds", Bounds)
async def test_all_leads_come_once_newest_first(
    fake: LeadsFake, fetcher: Fetcher, bounds: Bounds, tells_total: bool, tells_created: bool
) -> None:
    fake.bounds, fake.tells_total, fake.tells_created = bounds, tells_total, tells_created

    reading = await read(fetcher, workspace(fake.base))

    assert reading.end is None
    assert reading.ids == NEWEST_FIRST


async def test_leads_that_are_made_meanwhile_push_none_out(fake: LeadsFake, fetcher: Fetcher) -> None:
    numbers = iter(range(6, 100))
    fake.between = lambda: fake.leads.append(lead(next(numbers), created=NOW_MS + 1))

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids == NEWEST_FIRST


async def test_leads_that_are_deleted_meanwhile_hide_none(fake: LeadsFake, fetcher: Fetcher) -> None:
    def delete_newest() -> None:
        fake.leads = [each for each in fake.leads if each.lead_id not in {"5", "4"}]

    fake.between = delete_newest

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids == NEWEST_FIRST


async def test_leads_of_one_moment_all_come(fake: LeadsFake, fetcher: Fetcher) -> None:
    fake.leads = [lead(number, created=NOW_MS - 5 if number < 9 else NOW_MS - 7) for number in range(1, 12)]

    reading = await read(fetcher, workspace(fake.base))

    assert sorted(map(int, reading.ids)) == list(range(1, 12))


async def test_a_search_later_than_the_bound_is_read_by_skipping(fake: LeadsFake, fetcher: Fetcher) -> None:
    fake.bounds = Bounds.IGNORED
    fake.leads.append(lead(6, created=NOW_MS + 10_000))

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids == ["6", *NEWEST_FIRST]


@pytest.mark.parametrize("id_key", ["id", "_id", "leadId", "lead_id"])
async def test_ids_are_found_under_every_name_they_have(fake: LeadsFake, fetcher: Fetcher, id_key: str) -> None:
    fake.id_key = id_key

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids == NEWEST_FIRST


async def test_rows_without_an_id_are_known_by_their_phone(fake: LeadsFake, fetcher: Fetcher) -> None:
    fake.id_key = ""

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids[0] == "phone:919999999995"


async def test_fields_find_their_places(fake: LeadsFake, fetcher: Fetcher) -> None:
    fields = {
        "Alternate Phone": "+91 11111",
        "phone": 919999999999,
        "email": "jane@example.com",
        "First_Name": "Jane",
        "last_name": "Doe",
        "company_name": "Acme",
        "tags": ["VIP"],
        "name": "Jane Doe",
        "deal_size": 1000,
        "city": None,
        "modified_on": 5,
    }
    fake.leads, fake.tells_created = [Lead("7", NOW_MS, fields, status="Won")], False

    reading = await read(fetcher, workspace(fake.base))

    [record] = reading.records
    assert record.phones == (Labeled("919999999999"), Labeled("+91 11111"))
    assert record.emails == (Labeled("jane@example.com"),)
    assert (record.first_name, record.last_name, record.company) == ("Jane", "Doe", "Acme")
    assert record.tags == ("VIP",)
    assert record.type is ContactType.LEAD
    assert record.extra == {"name": "Jane Doe", "deal_size": 1000, "status": "Won"}


async def test_pages_are_never_larger_than_a_search_may_be(fake: LeadsFake, fetcher: Fetcher) -> None:
    await read(fetcher, workspace(fake.base, page_size=1000))

    assert fake.calls[0].query["limit"] == "100"


async def test_a_url_may_hold_the_enterprise(fake: LeadsFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, workspace(f"{fake.base}/enterprise/ent-1/"))

    assert reading.ids == NEWEST_FIRST


async def test_a_wrong_token_is_not_tried_again(fake: LeadsFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, workspace(fake.base, token="async-token"))

    assert isinstance(reading.end, Failed)
    assert len(fake.calls) == 1


async def test_trouble_is_waited_out_and_patience_given(fake: LeadsFake, fetcher: Fetcher) -> None:
    fake.tricks.extend([Say(500), HTML, None, Say(429, {}, {"Retry-After": "9"})])

    reading = await read(fetcher, workspace(fake.base))

    assert reading.ids == ["5", "4"]
    assert reading.counted("retries") == 2
    assert isinstance(reading.end, Deferred)

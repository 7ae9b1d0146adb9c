"""connect workspaces as sources, over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.source_polling.domain.record import Labeled
from services.source_polling.domain.source import Credentials, Source, SourceKind
from services.source_polling.ports.fetching import FIRST, Failed, Fetcher, Page
from tests.fakes.connect import ConnectFake
from tests.fakes.line import HTML, Say
from tests.integration.source_polling.reading import fetching, read, source


def contact(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "email": f"c{number}@example.com", "firstName": "Jane", "lastName": None, **more}


@pytest.fixture
async def fake() -> AsyncIterator[ConnectFake]:
    async with ConnectFake() as fake:
        fake.contacts = [contact(number) for number in (5, 3, 1, 4, 2)]
        yield fake


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    async with fetching() as fetcher:
        yield fetcher


def workspace(url: str, *, key: str = "connect-key") -> Source:
    return source(url, kind=SourceKind.CONNECT, credentials=Credentials(api_key=key))


@pytest.mark.parametrize("below", ["", "/", "/api/connect", "/api/connect/contacts"])
async def test_the_list_is_asked_for_once_and_given_in_pages(fake: ConnectFake, fetcher: Fetcher, below: str) -> None:
    reading = await read(fetcher, workspace(fake.url + below))

    assert [[each.external_id for each in page.records] for page in reading.pages] == [["1", "2"], ["3", "4"], ["5"]]
    assert fake.paths() == ["GET /api/connect/contacts"]
    assert len({page.fingerprint for page in reading.pages}) == 3


async def test_a_reading_that_goes_on_elsewhere_loses_nothing(fake: ConnectFake, fetcher: Fetcher) -> None:
    first = await (await fetcher.open(workspace(fake.url), since=None)).page(FIRST)
    assert isinstance(first, Page)
    assert first.next is not None
    fake.contacts = [each for each in fake.contacts if each["id"] != 1]

    second = await (await fetcher.open(workspace(fake.url), since=None)).page(first.next)

    assert isinstance(second, Page)
    assert [each.external_id for each in second.records] == ["3", "4"]


async def test_everything_that_people_wrote_is_read(fake: ConnectFake, fetcher: Fetcher) -> None:
    fake.contacts = [
        contact(
            1,
            lastName=" Smith ",
            companyName="Acme",
            jobTitle="Manager",
            phoneNumbers=["+1 415 555 0100", "+1 415 555 0101"],
            note="",
            photo=None,
            fullName="Jane Smith",
            createdAt="2023-01-15T10:00:00Z",
            lastActivityAt="2026-03-01T10:00:00Z",
            leadStatus={"id": 1, "label": "New Lead", "color": "#3B82F6"},
        )
    ]

    reading = await read(fetcher, workspace(fake.url))

    [record] = reading.records
    assert (record.first_name, record.last_name, record.company) == ("Jane", "Smith", "Acme")
    assert record.phones == (Labeled("+1 415 555 0100"), Labeled("+1 415 555 0101"))
    assert record.emails == (Labeled("c1@example.com"),)
    assert record.extra == {"jobTitle": "Manager", "createdAt": "2023-01-15T10:00:00Z", "leadStatus": "New Lead"}


async def test_one_phone_by_itself_is_taken(fake: ConnectFake, fetcher: Fetcher) -> None:
    fake.contacts = [contact(1, phoneNumbers="+1 415 555 0100")]

    reading = await read(fetcher, workspace(fake.url))

    assert reading.records[0].phones == (Labeled("+1 415 555 0100"),)


async def test_a_row_that_is_no_contact_is_skipped_with_its_reason(fake: ConnectFake, fetcher: Fetcher) -> None:
    fake.tricks.append(Say(200, [contact(1, email=7), {"email": "x@example.com"}, contact(2), "nonsense"]))

    reading = await read(fetcher, workspace(fake.url))

    assert reading.ids == ["2"]
    assert [skip.external_id for skip in reading.skipped] == ["1", "", ""]


async def test_an_empty_workspace_is_one_empty_page(fake: ConnectFake, fetcher: Fetcher) -> None:
    fake.contacts = []

    reading = await read(fetcher, workspace(fake.url))

    assert (reading.ids, reading.end, len(reading.pages)) == ([], None, 1)


async def test_what_is_no_list_is_asked_for_again_and_then_fails(fake: ConnectFake, fetcher: Fetcher) -> None:
    in_cp1251 = '[{"id":1,"firstName":"Анна"}]'.encode("cp1251")
    fake.tricks.extend([HTML, Say(200, {"contacts": []}), Say(200, in_cp1251)])

    reading = await read(fetcher, workspace(fake.url))

    assert isinstance(reading.end, Failed)
    assert reading.counted("retries") == 2


async def test_a_wrong_key_is_not_tried_again(fake: ConnectFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, workspace(fake.url, key="wrong"))

    assert reading.end == Failed(reason="The source refuses the API key.", retryable=False)
    assert len(fake.calls) == 1

"""What is read of the rows of custom contact sources, as documented and as they come."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.source_polling.domain.record import ContactType, Labeled, SourceRecord
from services.source_polling.ports.fetching import Fetcher
from tests.fakes.contact_source import (
    Altered,
    Book,
    ContactSourceFake,
    Document,
    Quirks,
    Status,
    make_contact,
)
from tests.integration.source_polling.reading import HandClock, fetching, read, source

FIVE = ["1", "2", "3", "4", "5"]
SINCE = datetime(2026, 2, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def fake(clock: HandClock) -> AsyncIterator[ContactSourceFake]:
    async with ContactSourceFake(Book(map(make_contact, range(1, 6))), clock=clock.seconds) as fake:
        yield fake


@pytest.fixture
async def fetcher(clock: HandClock) -> AsyncIterator[Fetcher]:
    async with fetching(now=clock) as fetcher:
        yield fetcher


def changed(**keys: object) -> Altered:
    """The page, with these keys of its first contact changed."""

    def alter(document: Document) -> Document:
        name = "contacts" if "contacts" in document else "updated"
        first, *others = document[name]
        return {**document, name: [{**first, **keys}, *others]}

    return Altered(alter)


async def test_a_contact_comes_with_every_phone_and_email(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, source(fake.url))

    assert reading.records[2] == SourceRecord(
        external_id=reading.records[2].external_id,
        first_name="Виктор",
        last_name="Иванов-3",
        company="ООО «Ромашка 3»",
        type=ContactType.LEAD,
        phones=(Labeled("+79100000003", "mobile"), Labeled("+74951000003", "work")),
        emails=(Labeled("victor.3@example.org", "business"),),
    )


async def test_no_word_on_more_means_that_there_is_no_more(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.quirks.silent_on_more = True

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == ["1", "2"]
    assert reading.end is None


@pytest.mark.parametrize("quirks", [Quirks(numeric_ids=True), Quirks(extra_keys=True)], ids=str)
async def test_numeric_ids_and_unknown_keys_are_taken(
    fake: ContactSourceFake, fetcher: Fetcher, quirks: Quirks
) -> None:
    fake.quirks = quirks
    fake.book.delete("5")

    whole = await read(fetcher, source(fake.url))
    delta = await read(fetcher, source(fake.url), since=datetime(2020, 1, 1, tzinfo=UTC))

    assert whole.ids == delta.ids == ["1", "2", "3", "4"]
    assert delta.deleted == ["5"]


async def test_unknown_labels_and_types_are_mapped_as_the_document_says(
    fake: ContactSourceFake, fetcher: Fetcher
) -> None:
    fake.at(
        1,
        changed(
            type="partner",
            phones=[{"number": "1", "label": "Mobile"}, {"number": "2"}, {"number": "3", "label": ["work"]}],
            emails=[{"email": "a@b.c", "label": "work"}, {"email": "d@e.f", "label": "private"}],
        ),
    )

    reading = await read(fetcher, source(fake.url))

    [first, *_] = reading.records
    assert first.type is ContactType.CUSTOMER
    assert first.phones == (Labeled("1"), Labeled("2"), Labeled("3"))
    assert first.emails == (Labeled("a@b.c"), Labeled("d@e.f", "private"))


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"first_name": None}, "It has no first name."),
        ({"last_name": "  "}, "It has no last name."),
        ({"first_name": 5}, "It is not as documented: Expected `str | null`, got `int` - at `$.first_name`."),
        ({"phones": "+7900"}, "It is not as documented: Expected `array | null`, got `str` - at `$.phones`."),
    ],
)
async def test_a_row_that_is_no_contact_is_skipped_with_its_reason(
    fake: ContactSourceFake, fetcher: Fetcher, keys: dict[str, object], reason: str
) -> None:
    fake.at(1, changed(**keys))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE[1:]
    assert [(skip.external_id, skip.reason) for skip in reading.skipped] == [("1", reason)]


async def test_absent_lists_are_empty(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.at(1, changed(phones=None, emails=None), Altered(lambda _: {"updated": None, "deleted": ["7"]}))

    whole = await read(fetcher, source(fake.url), at_most=1)
    delta = await read(fetcher, source(fake.url), since=SINCE)

    assert whole.records[0].phones == whole.records[0].emails == ()
    assert (delta.ids, delta.deleted) == ([], ["7"])


async def test_an_id_that_one_page_updates_and_deletes_is_not_gone(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.at(1, Altered(lambda _: {"updated": [make_contact(7)], "deleted": ["7", "8"]}))

    reading = await read(fetcher, source(fake.url), since=SINCE)

    assert reading.ids == ["7"]
    assert reading.deleted == ["8"]


async def test_half_a_character_and_a_byte_order_mark_spoil_no_page(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    row = rb'{"id":"1","first_name":"Ann \ud83d","last_name":"\\ud83d \ud83d\ude00"}'
    fake.at(1, Status(200, b'\xef\xbb\xbf{"contacts":[' + row + b"]}"))

    reading = await read(fetcher, source(fake.url))

    assert [(each.first_name, each.last_name) for each in reading.records] == [("Ann \ufffd", "\\ud83d \U0001f600")]


async def test_pages_that_are_the_same_have_the_same_fingerprint(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.quirks.same_page = True

    reading = await read(fetcher, source(fake.url), at_most=3)

    assert len({page.fingerprint for page in reading.pages}) == 1
    assert all(page.next for page in reading.pages)


async def test_a_page_tells_the_sources_own_time(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, source(fake.url))

    assert all(page.asked_at is not None for page in reading.pages)

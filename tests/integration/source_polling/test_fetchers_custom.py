"""Custom contact sources over real HTTP, as the document says and as they misbehave."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from services.source_polling.domain.source import Credentials
from services.source_polling.ports.fetching import Deferred, Failed, Fetcher
from tests.fakes.contact_source import (
    Altered,
    Before,
    Behaviour,
    Book,
    ContactSourceFake,
    Cut,
    Endless,
    Hang,
    Status,
    make_contact,
    non_json,
    redirect,
    too_many,
)
from tests.integration.source_polling.reading import HASTY, HandClock, fetching, read, source

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


async def test_a_full_reading_asks_for_every_page_with_one_token(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    reading = await read(fetcher, source(fake.url))

    assert reading.end is None
    assert reading.ids == FIVE
    assert [(asked.page, asked.limit, asked.since) for asked in fake.asked] == [
        (1, 2, None),
        (2, 2, None),
        (3, 2, None),
    ]
    assert reading.counted("tokens") == fake.tokens_given == 1
    assert reading.counted("retries") == 0


async def test_a_delta_pages_updated_and_deleted_together(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.book.now = int(SINCE.timestamp())
    fake.book.put(make_contact(9))
    for contact_id in ("1", "2", "3"):
        fake.book.delete(contact_id)

    reading = await read(fetcher, source(fake.url), since=SINCE + timedelta(milliseconds=900))

    assert reading.ids == ["9"]
    assert reading.deleted == ["1", "2", "3"]
    assert [(asked.page, asked.since) for asked in fake.asked] == [(1, fake.book.now), (2, fake.book.now)]
    assert not reading.pages[1].records


async def test_a_token_is_renewed_before_it_ends(fake: ContactSourceFake, fetcher: Fetcher, clock: HandClock) -> None:
    def pass_time() -> None:
        clock.time += timedelta(seconds=3580)

    fake.at(1, Before(pass_time))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE
    assert (fake.tokens_given, fake.refused_tokens) == (2, 0)


async def test_a_short_token_is_renewed_in_time_though_a_date_leaves_out_part_of_a_second(
    fake: ContactSourceFake, fetcher: Fetcher, clock: HandClock
) -> None:
    def pass_time() -> None:
        clock.time += timedelta(seconds=3.3)

    clock.time = clock.time.replace(microsecond=900_000)
    fake.lifetime_s = 4
    fake.at(1, Before(pass_time))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE
    assert (fake.tokens_given, fake.refused_tokens) == (2, 0)


async def test_a_token_that_ends_between_pages_is_renewed_and_the_page_repeated(
    fake: ContactSourceFake, fetcher: Fetcher
) -> None:
    fake.at(1, Before(lambda: None))
    fake.at(2, Status(401))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE
    assert [asked.page for asked in fake.asked] == [1, 2, 2, 3]
    assert (reading.counted("tokens"), reading.counted("retries")) == (2, 1)


async def test_tokens_that_are_no_jwt_serve_until_they_are_refused(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.quirks.opaque_tokens = True
    fake.at(1, Before(fake.revoke_tokens))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE
    assert (fake.tokens_given, fake.refused_tokens) == (2, 1)


async def test_a_second_401_ends_the_reading(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.at(2, Status(401), Status(401))

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == ["1", "2"]
    assert isinstance(reading.end, Failed)
    assert "twice" in reading.end.reason
    assert fake.tokens_given == 2


async def test_wrong_credentials_are_not_tried_again(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    wrong = Credentials(client_id="test_id", client_secret="wrong")

    reading = await read(fetcher, source(fake.url, credentials=wrong))

    assert reading.end == Failed(reason="The source refuses the client id and secret.", retryable=False)


@pytest.mark.parametrize(
    "trouble", [Status(500), Status(502), Status(503), non_json(), Status(200, b""), Status(200, b"[]"), Cut()], ids=str
)
async def test_trouble_that_passes_is_waited_out(fake: ContactSourceFake, fetcher: Fetcher, trouble: Behaviour) -> None:
    fake.at(2, trouble, trouble)

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE
    assert reading.counted("retries") == 2


IN_CP1251 = Status(200, '{"contacts":[{"id":"1","first_name":"Анна","last_name":"Ли"}]}'.encode("cp1251"))


@pytest.mark.parametrize("trouble", [Status(500), non_json(), Status(200, b'{"error":"busy"}'), IN_CP1251], ids=str)
async def test_trouble_that_stays_ends_the_reading(
    fake: ContactSourceFake, fetcher: Fetcher, trouble: Behaviour
) -> None:
    fake.at(2, *[trouble] * 9)

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == ["1", "2"]
    assert isinstance(reading.end, Failed)
    assert reading.counted("retries") == HASTY.max_attempts - 1


@pytest.mark.parametrize("refusal", [Status(400), Status(403), Status(404), redirect("http://127.0.0.1/")], ids=str)
async def test_what_a_source_refuses_is_not_asked_again(
    fake: ContactSourceFake, fetcher: Fetcher, refusal: Behaviour
) -> None:
    fake.at(1, refusal)

    reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Failed)
    assert not reading.end.retryable
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("trouble", "patience"),
    [
        (too_many("7"), timedelta(seconds=7)),
        (too_many("Sun, 01 Mar 2026 12:01:00 GMT"), timedelta(minutes=1)),
        (too_many("soon"), HASTY.max_delay),
        (Status(503, headers={"Retry-After": "3"}), timedelta(seconds=3)),
    ],
    ids=["seconds", "date", "nonsense", "503"],
)
async def test_a_source_that_asks_for_patience_gets_it(
    fake: ContactSourceFake, fetcher: Fetcher, trouble: Behaviour, patience: timedelta
) -> None:
    fake.at(2, trouble)

    reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Deferred)
    assert reading.end.retry_after == patience


async def test_patience_is_also_had_with_tokens(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.at_token(too_many("5"))

    reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Deferred)


@pytest.mark.parametrize(
    "answer",
    [Status(200, b"<html>"), Status(200, b"{}"), Status(500), Altered(lambda _: {"token": 7})],
    ids=["html", "none", "500", "number"],
)
async def test_a_token_endpoint_in_trouble_is_asked_again(
    fake: ContactSourceFake, fetcher: Fetcher, answer: Behaviour
) -> None:
    fake.at_token(answer, answer)

    reading = await read(fetcher, source(fake.url))

    assert reading.ids == FIVE


async def test_a_token_that_no_header_can_carry_is_refused(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    fake.at_token(Altered(lambda _: {"token": "a\r\nX-Evil: 1"}))

    reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Failed)
    assert not fake.asked


async def test_an_answer_over_the_limit_is_refused(fake: ContactSourceFake, clock: HandClock) -> None:
    fake.at(1, Endless())

    async with fetching(now=clock, page_bytes=100_000) as fetcher:
        reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Failed)
    assert "longer than" in reading.end.reason
    assert not reading.end.retryable


async def test_an_answer_that_does_not_come_is_not_waited_for(fake: ContactSourceFake, fetcher: Fetcher) -> None:
    hurried = type(HASTY)(max_attempts=1, timeout=timedelta(seconds=2))
    fake.at(1, Hang())

    reading = await read(fetcher, source(fake.url, retry=hurried))

    assert reading.end == Failed(reason="The source did not answer in time.", retryable=True, tokens=1)


async def test_the_hubs_own_network_is_not_called(fake: ContactSourceFake) -> None:
    async with fetching(allowed="") as fetcher:
        reading = await read(fetcher, source(fake.url))

    assert isinstance(reading.end, Failed)
    assert fake.tokens_given == 0

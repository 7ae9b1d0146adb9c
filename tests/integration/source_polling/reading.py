"""A source to read, and the whole reading of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from libs.egress import EgressRules, Outlet, parse_networks
from services.source_polling.domain.record import ExternalId, Skip, SourceRecord
from services.source_polling.domain.source import Credentials, Retry, Source, SourceId, SourceKind
from services.source_polling.fetcher import PAGE_BYTES, HttpFetcher, PatientFetcher, Surroundings
from services.source_polling.ports.fetching import FIRST, Deferred, Failed, Fetcher, Page

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HASTY = Retry(first_delay=timedelta(milliseconds=1), max_delay=timedelta(milliseconds=2), max_attempts=3)
CUSTOM = Credentials(client_id="test_id", client_secret="test_secret")


class HandClock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        return self.time.timestamp()


def source(
    url: str,
    *,
    kind: SourceKind = SourceKind.CUSTOM,
    credentials: Credentials = CUSTOM,
    page_size: int = 2,
    retry: Retry = HASTY,
) -> Source:
    return Source(
        source_id=SourceId("src_1"),
        name="shop",
        kind=kind,
        url=url,
        credentials=credentials,
        workspace_id="",
        created_at=NOW,
        page_size=page_size,
        retry=retry,
    )


@dataclass
class Reading:
    """What came of a reading."""

    pages: list[Page] = field(default_factory=list)
    end: Deferred | Failed | None = None
    """None: it came to the last page."""

    @property
    def records(self) -> list[SourceRecord]:
        return [record for page in self.pages for record in page.records]

    @property
    def ids(self) -> list[str]:
        return [record.external_id for record in self.records]

    @property
    def deleted(self) -> list[ExternalId]:
        return [each for page in self.pages for each in page.deleted]

    @property
    def skipped(self) -> list[Skip]:
        return [skip for page in self.pages for skip in page.skipped]

    def counted(self, name: str) -> int:
        outcomes = [*self.pages, *([self.end] if self.end else [])]
        return sum(getattr(outcome, name) for outcome in outcomes)


async def read(fetcher: Fetcher, place: Source, *, since: datetime | None = None, at_most: int = 100) -> Reading:
    session = await fetcher.open(place, since=since)
    reading, cursor = Reading(), FIRST
    try:
        while len(reading.pages) < at_most:
            outcome = await session.page(cursor)
            if not isinstance(outcome, Page):
                reading.end = outcome
                break
            reading.pages.append(outcome)
            if outcome.next is None:
                break
            cursor = outcome.next
    finally:
        await session.close()
    return reading


@asynccontextmanager
async def fetching(
    *, now: HandClock | None = None, page_bytes: int = PAGE_BYTES, allowed: str = "127.0.0.0/8"
) -> AsyncIterator[Fetcher]:
    outlet = Outlet.open(EgressRules(parse_networks(allowed)))
    try:
        yield PatientFetcher(HttpFetcher(Surroundings(outlet=outlet, now=now or HandClock(), page_bytes=page_bytes)))
    finally:
        await outlet.close()

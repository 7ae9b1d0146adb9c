"""Asking again: a question that may succeed soon is repeated with back-off, as the source's settings say."""

from dataclasses import replace
from datetime import datetime

import stamina
from typing_extensions import override

from services.source_polling.domain.source import Retry, Source
from services.source_polling.ports.fetching import Deferred, Failed, Fetcher, Page, PageCursor, Session


class _Again(Exception):
    """The question may succeed soon."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


class PatientFetcher(Fetcher):
    """Opens sessions that repeat what may succeed soon. They give up with the last failure."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    @override
    async def open(self, source: Source, *, since: datetime | None) -> Session:
        """Begin to read."""
        return _PatientSession(await self._fetcher.open(source, since=since), source.retry)


class _PatientSession(Session):
    def __init__(self, session: Session, retry: Retry) -> None:
        self._session = session
        self._retry = retry
        self._tokens = self._retries = 0

    @override
    async def page(self, cursor: PageCursor) -> Page | Deferred | Failed:
        """Read the page; tokens and retries are those of all tries."""
        self._tokens = self._retries = 0
        outcome = await self._ask_until_given_up(cursor)
        return replace(outcome, tokens=self._tokens, retries=self._retries)

    @override
    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def _ask_until_given_up(self, cursor: PageCursor) -> Page | Deferred | Failed:
        retry = self._retry
        tries = stamina.retry_context(
            on=_Again,
            attempts=retry.max_attempts,
            timeout=None,
            wait_initial=retry.first_delay,
            wait_max=retry.max_delay,
            wait_jitter=retry.first_delay,
        )
        try:
            async for attempt in tries:
                with attempt:
                    self._retries += attempt.num > 1
                    return await self._ask(cursor)
        except _Again as last:
            return last.failed
        raise AssertionError  # the last try gives an outcome or raises

    async def _ask(self, cursor: PageCursor) -> Page | Deferred | Failed:
        outcome = await self._session.page(cursor)
        self._tokens += outcome.tokens
        self._retries += outcome.retries
        if isinstance(outcome, Failed) and outcome.retryable:
            raise _Again(outcome)
        return outcome

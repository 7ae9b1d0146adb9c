"""All numbers of a process, looked at before they are read."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import monotonic, time_ns

import structlog

from libs.measures import Histogram, Instrument, Measures, Survey

_log = structlog.get_logger("libs.telemetry")

SURVEY_SECONDS = 2.0
"""What a survey may take; one that takes longer leaves its gauges as they were."""
FRESH_SECONDS = 1.0
"""Nobody looks again sooner: many who ask cost no more than one."""


class Gathered:
    """The instruments of all parts of a process."""

    def __init__(self, service: str, version: str | None, measures: Sequence[Measures]) -> None:
        self.service = service
        self.version = version
        self.began_ns = time_ns()
        self._measures = measures
        self._looked_at = -FRESH_SECONDS
        self._failing: set[Survey] = set()
        self._looking = asyncio.Lock()

    def instruments(self) -> Iterator[Instrument]:
        """Give each once."""
        for each in self._measures:
            yield from each.instruments

    def histograms(self) -> list[Histogram]:
        """Give those that have counted something."""
        return [each for each in self.instruments() if isinstance(each, Histogram) and each.rows]

    async def look(self) -> None:
        """Bring gauges up to date that are not set by what they measure. Never fails."""
        async with self._looking:
            if monotonic() - self._looked_at < FRESH_SECONDS:
                return
            surveys = [survey for each in self._measures for survey in each.surveys]
            await asyncio.gather(*map(self._survey, surveys))
            self._looked_at = monotonic()

    async def _survey(self, survey: Survey) -> None:
        try:
            async with asyncio.timeout(SURVEY_SECONDS):
                await survey()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other numbers must be told
            if survey not in self._failing:  # once per outage
                _log.warning("metrics_not_surveyed", error=type(error).__name__)
            self._failing.add(survey)
        else:
            with suppress(KeyError):
                self._failing.remove(survey)

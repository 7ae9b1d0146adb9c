"""Every kind of source by its own way."""

from datetime import datetime
from typing import assert_never

from typing_extensions import override

from services.source_polling.domain.source import Source, SourceKind
from services.source_polling.fetcher.connect import ConnectSession
from services.source_polling.fetcher.custom import CustomSession
from services.source_polling.fetcher.line import Surroundings
from services.source_polling.fetcher.telecrm import TelecrmSession
from services.source_polling.ports.fetching import Fetcher, Session


class HttpFetcher(Fetcher):
    """Reads through the outlet: addresses are checked, redirects not followed, answers bounded."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    @override
    async def open(self, source: Source, *, since: datetime | None) -> Session:
        """Begin to read."""
        match source.kind:
            case SourceKind.CUSTOM:
                return CustomSession(source, self._surroundings, since=since)
            case SourceKind.CONNECT:
                return ConnectSession(source, self._surroundings)
            case SourceKind.TELECRM:
                return TelecrmSession(source, self._surroundings)
            case unreachable:
                assert_never(unreachable)

"""The typed service."""

from services.source_polling.server.service import SourcePollingServer

__all__ = ["SourcePollingServer"]

"""The way to sources over HTTP."""

from services.source_polling.fetcher.dispatch import HttpFetcher
from services.source_polling.fetcher.line import PAGE_BYTES, Surroundings

__all__ = ["PAGE_BYTES", "HttpFetcher", "Surroundings"]

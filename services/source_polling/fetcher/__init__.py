"""The way to sources over HTTP."""

from services.source_polling.fetcher.dispatch import HttpFetcher
from services.source_polling.fetcher.line import PAGE_BYTES, Surroundings
from services.source_polling.fetcher.patience import PatientFetcher

__all__ = ["PAGE_BYTES", "HttpFetcher", "PatientFetcher", "Surroundings"]

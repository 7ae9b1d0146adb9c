"""The telecrm APIs over REST."""

from services.directory.rest.telecrm.later import AsyncApi
from services.directory.rest.telecrm.sync import SyncApi

__all__ = ["AsyncApi", "SyncApi"]

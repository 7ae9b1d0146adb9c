"""The telecrm APIs over REST."""

from services.directory.rest.telecrm.sync import SyncApi

__all__ = ["SyncApi"]

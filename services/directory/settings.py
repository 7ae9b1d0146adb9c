"""The settings of directory, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21006"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=directory`; may hold a password."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    normalization_address: str = "127.0.0.1:21003"
    """host:port of normalization, which reads phones."""
    nats_url: str = Field(repr=False)
    """Where tickets for the Async API's leads go and come from; of a cluster each server's, with commas between."""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """How many servers of the cluster keep each stream; the same number for every service."""
    sweep_interval: timedelta = timedelta(seconds=5)
    """How often leads that still wait are made known again."""
    overdue_after: timedelta = timedelta(seconds=15)
    """For how long one may have waited by then."""
    pepper_file: Path
    """32 bytes or more in hex: what credentials are hashed under. Without it none of them opens anything."""
    master_key_file: Path
    """32 bytes in hex: what tokens of contact sources are signed under."""
    delivery_memory: timedelta = timedelta(days=30)
    """For how long a delivery sent again is known: longer than anyone retries one. Seconds or ISO 8601 ("P30D")."""

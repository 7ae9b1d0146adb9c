"""The settings of idempotency, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta

from pydantic import Field

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21002"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=idempotency`; may hold a password."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    key_lease: timedelta = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    """How long a request may run before another caller with its key may finish its job."""
    key_lifetime: timedelta = Field(default=timedelta(hours=72), ge=timedelta(minutes=1))
    """How long a key is kept; afterwards it is free."""
    purge_interval: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    """How often expired keys are deleted."""

"""The settings of idempotency, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given. Durations are seconds or ISO 8601."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str = "127.0.0.1:21002"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=idempotency`; may hold a password."""
    service_key_file: Path
    """32 bytes or more in hex, the same for every service of the hub: by it they know each other."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    key_lease: timedelta = Field(default=timedelta(seconds=10), ge=timedelta(seconds=1))
    """How long a request may run before another caller with its key may finish its job."""
    key_lifetime: timedelta = Field(default=timedelta(hours=72), ge=timedelta(minutes=1))
    """How long a key is kept; afterwards it is free."""
    purge_interval: timedelta = Field(default=timedelta(minutes=1), ge=timedelta(seconds=1))
    """How often expired keys are deleted."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20.0
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = 0.01

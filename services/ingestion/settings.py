"""The settings of ingestion, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str = "127.0.0.1:21004"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=ingestion`; may hold a password."""
    nats_url: str = Field(repr=False)
    """`nats://user:password@host:port`."""
    service_key_file: Path
    """32 bytes or more in hex, the same for every service of the hub: by it they know each other."""
    access_address: str = "127.0.0.1:21001"
    idempotency_address: str = "127.0.0.1:21002"
    normalization_address: str = "127.0.0.1:21003"
    sweep_interval: timedelta = timedelta(seconds=5)
    """How often deliveries are looked for that are not done; seconds, or ISO 8601."""
    overdue_after: timedelta = timedelta(seconds=30)
    """How long after it was made known a delivery is made known again."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20.0
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = 0.01

"""The settings of access, from the environment: CONTACTSYNC_… in capitals."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str = "127.0.0.1:21001"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=access`; may hold a password."""
    service_key_file: Path
    """32 bytes or more in hex, the same for every service of the hub: by it they know each other."""
    master_key_file: Path
    """32 bytes in hex, access alone: seals the signing secrets."""
    pepper_file: Path
    """32 bytes or more in hex, access alone: without it the stored keys are worth nothing."""
    bootstrap_file: Path | None = None
    """Where the first two keys of a new hub are written; of several replicas, one has it. Absent: none are made."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20.0
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = 0.01

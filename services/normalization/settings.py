"""The settings of normalization, from the environment: CONTACTSYNC_... in capitals."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str = "127.0.0.1:21003"
    """host:port of the gRPC server."""
    service_key_file: Path
    """32 bytes or more in hex, the same for every service of the hub: by it they know each other."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    fast_phones: bool = True
    """Off: every phone is read by phonenumbers itself, more than ten times slower and with the same results."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20.0
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = 0.01
    """The part recorded of the rest."""

"""Settings of the process, from the environment."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """CONTACTSYNC_... variables; each field says what it is for."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_")

    listen: str = "127.0.0.1:21003"
    """host:port of the gRPC server."""
    service_key_file: Path
    """The hub's service key: 32 random bytes or more, in hex."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    otlp_endpoint: str = ""
    """Where spans go, for example http://localhost:4317; empty: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20
    """Traces of our own that are kept, a second."""
    trace_ratio: float = 0.01
    """The part kept of the rest."""
    fast_phones: bool = True
    """Off: every phone is read by the library itself, ten times slower and with the same results."""

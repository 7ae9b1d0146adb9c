"""The settings of delivery, from the environment: CONTACTSYNC_… in capitals."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.delivery.sender.egress import Network, parse_networks


class Settings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given."""

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str = "127.0.0.1:21005"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=delivery`; may hold a password."""
    nats_url: str = Field(repr=False)
    """`nats://user:password@127.0.0.1:4222`."""
    service_key_file: Path
    """32 bytes or more in hex, the same for every service of the hub: by it they know each other."""
    master_key_file: Path
    """32 bytes in hex: seals the secrets of destinations."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    ingestion_address: str = "127.0.0.1:21004"
    """host:port of ingestion, which has the chunks."""
    directory_address: str = "127.0.0.1:21006"
    """host:port of the contact book."""
    egress_allow: str = ""
    """CIDRs, comma-separated, that webhooks may lie in although they are private. Empty: none."""
    sends_in_flight: int = Field(default=64, ge=1, le=1024)
    """Parcels under way at once, to all destinations."""
    sends_per_destination: int = Field(default=16, ge=1, le=1024)
    """Parcels under way at once, to one destination."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    trace_rate: float = 20.0
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = 0.01
    """The part recorded of the rest."""

    @field_validator("egress_allow")
    @classmethod
    def _holds_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """What `egress_allow` opens."""
        return parse_networks(self.egress_allow)

"""The settings of delivery, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, field_validator

from libs.egress import Network, parse_networks
from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21005"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=delivery`; may hold a password."""
    nats_url: str = Field(repr=False)
    """`nats://user:password@127.0.0.1:4222`; of a cluster each server's, with commas between, and at the end, instead
    of the password, `?password_file=`."""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """How many servers of the cluster keep each stream; the same number for every service."""
    master_key_file: Path
    """32 bytes in hex: seals the secrets of destinations."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    ingestion_address: str = "127.0.0.1:21004"
    """host:port of ingestion, which has the chunks."""
    directory_address: str = "127.0.0.1:21006"
    """host:port of the contact book."""
    source_polling_address: str = "127.0.0.1:21007"
    """host:port of source_polling, which knows what sources lead to a destination."""
    replicas: int = Field(default=1, ge=1)
    """How many processes of delivery there are: each sends its part of what a destination bears."""
    egress_allow: str = ""
    """CIDRs, comma-separated, that webhooks may lie in although they are private. Empty: none."""
    sends_in_flight: int = Field(default=64, ge=1, le=1024)
    """Parts under way at once, to all destinations that answer within a second. Each has its own bound beside."""

    keep_answers: timedelta = Field(default=timedelta(days=30), ge=timedelta(0), le=timedelta(days=3650))
    """How long what came back from tries that failed is kept: it may hold contact data. Seconds, or ISO 8601."""

    @field_validator("egress_allow")
    @classmethod
    def _holds_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """What `egress_allow` opens."""
        return parse_networks(self.egress_allow)

"""The settings of ingestion, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta

from pydantic import Field

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21004"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=ingestion`; may hold a password."""
    nats_url: str = Field(repr=False)
    """`nats://user:password@host:port`; of a cluster each server's, with commas between, and at the end, instead of the
    password, `?password_file=`."""
    nats_replicas: int = Field(default=1, ge=1, le=5)
    """How many servers of the cluster keep each stream; the same number for every service."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    idempotency_address: str = "127.0.0.1:21002"
    """host:port of idempotency."""
    normalization_address: str = "127.0.0.1:21003"
    """host:port of normalization."""
    directory_address: str = "127.0.0.1:21006"
    """host:port of directory, where persons are erased too."""
    delivery_address: str = "127.0.0.1:21005"
    """host:port of delivery, which forgets what destinations answered about an erased person."""
    sweep_interval: timedelta = Field(default=timedelta(seconds=5), ge=timedelta(seconds=1))
    """How often deliveries are looked for that are not done."""
    overdue_after: timedelta = Field(default=timedelta(seconds=30), ge=timedelta(seconds=1))
    """How long after it was made known a delivery is made known again."""

    bytes_at_once: int = Field(default=32 * 1024 * 1024, ge=1)
    """How many bytes of imports are worked on at once; what comes on top is refused with 503 and Retry-After."""

    def peer_addresses(self) -> dict[str, str]:
        """Of access, idempotency, normalization, directory and delivery, in this order."""
        return {
            "access": self.access_address,
            "idempotency": self.idempotency_address,
            "normalization": self.normalization_address,
            "directory": self.directory_address,
            "delivery": self.delivery_address,
        }

"""The settings of the console, from the environment: CONTACTSYNC_… in capitals."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, field_validator

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the console needs. It has no service key, since it is nobody but the operator who uses it."""

    listen: str = "127.0.0.1:21010"
    """host:port of the web server."""
    service_key_file: Path = Field(default=Path(), exclude=True)
    """Not read."""
    master_key_file: Path
    """32 bytes in hex: seals the sessions."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access; several, comma-separated, for several replicas, here and below."""
    idempotency_address: str = "127.0.0.1:21002"
    normalization_address: str = "127.0.0.1:21003"
    ingestion_address: str = "127.0.0.1:21004"
    delivery_address: str = "127.0.0.1:21005"
    directory_address: str = "127.0.0.1:21006"
    source_polling_address: str = "127.0.0.1:21007"
    jaeger_url: str = ""
    """Where Jaeger's page is, as an operator's browser reaches it, `http://127.0.0.1:16686`. Empty: no links there."""

    @field_validator("jaeger_url")
    @classmethod
    def _is_a_page(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("an http or https URL")
        return url.rstrip("/")

    @property
    def services(self) -> Mapping[str, str]:
        """The address of every service, by its name."""
        return {
            "access": self.access_address,
            "idempotency": self.idempotency_address,
            "normalization": self.normalization_address,
            "ingestion": self.ingestion_address,
            "delivery": self.delivery_address,
            "directory": self.directory_address,
            "source_polling": self.source_polling_address,
        }

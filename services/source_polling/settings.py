"""The settings of source polling, from the environment: CONTACTSYNC_… in capitals."""

import os
import socket
from pathlib import Path

from pydantic import Field, field_validator

from libs.egress import Network, parse_networks
from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21007"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=source_polling`; may hold a password."""
    master_key_file: Path
    """32 bytes in hex: seals the credentials of sources."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    ingestion_address: str = "127.0.0.1:21004"
    """host:port of ingestion, which takes the contacts."""
    delivery_address: str = "127.0.0.1:21005"
    """host:port of delivery, which knows echoes."""
    egress_allow: str = ""
    """CIDRs, comma-separated, that sources may lie in although they are private. Empty: none."""
    runs_at_once: int = Field(default=4, ge=1, le=64)
    """Sources that are read at the same time."""

    @field_validator("egress_allow")
    @classmethod
    def _holds_networks(cls, text: str) -> str:
        parse_networks(text)
        return text

    @property
    def allowed_networks(self) -> tuple[Network, ...]:
        """What `egress_allow` opens."""
        return parse_networks(self.egress_allow)

    @property
    def replica(self) -> str:
        """Names this replica, and again after a restart: two that run at once never listen in the same place."""
        takes_any_port = self.listen.endswith(":0")
        return f"{socket.gethostname()}/{self.listen}" + (f"/{os.getpid()}" if takes_any_port else "")

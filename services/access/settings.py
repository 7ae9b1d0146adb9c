"""The settings of access, from the environment: CONTACTSYNC_… in capitals."""

from pathlib import Path

from pydantic import Field

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21001"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=access`; may hold a password."""
    master_key_file: Path
    """32 bytes in hex, access alone: seals the signing secrets."""
    pepper_file: Path
    """32 bytes or more in hex, access alone: without it the stored keys are worth nothing."""
    bootstrap_file: Path | None = None
    """Where the first two keys of a new hub are written, by one of its replicas. Absent: none are made."""

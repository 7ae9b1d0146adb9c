"""The settings of directory, from the environment: CONTACTSYNC_… in capitals."""

from datetime import timedelta

from pydantic import Field

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21006"
    """host:port of the gRPC server."""
    database_url: str = Field(repr=False)
    """`sqlite:////absolute/file.sqlite3` or `postgresql://…?schema=directory`; may hold a password."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    delivery_memory: timedelta = timedelta(days=30)
    """For how long a delivery sent again is known: longer than anyone retries one. Seconds or ISO 8601 ("P30D")."""

"""The settings of normalization, from the environment: CONTACTSYNC_... in capitals."""

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    """What the service needs beside what every process has."""

    listen: str = "127.0.0.1:21003"
    """host:port of the gRPC server."""
    access_address: str = "127.0.0.1:21001"
    """host:port of access, which knows API keys."""
    fast_phones: bool = True
    """Off: every phone is read by phonenumbers itself, more than ten times slower and with the same results."""

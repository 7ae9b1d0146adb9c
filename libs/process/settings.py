"""The settings that every service process has, from the environment: CONTACTSYNC_… in capitals."""

import re
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import TypeAlias, TypedDict

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.process.certificates import read_tls_files
from libs.process.keys import read_service_keys

Network: TypeAlias = IPv4Network | IPv6Network
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_PLACE = re.compile(r"\S+:[0-9]{1,5}", re.ASCII)


class TelemetrySettings(TypedDict):
    """What telemetry is configured with."""

    otlp_endpoint: str | None
    level: str
    trace_rate: float
    trace_ratio: float


class MetricsSettings(TypedDict):
    """On what ways a process tells its numbers."""

    listen: str
    otlp_endpoint: str | None


class ProcessSettings(BaseSettings):
    """An empty variable counts as absent. Those without a default must be given. Durations are ISO 8601.

    What ends in `_address` may be several host:port, comma-separated and numeric: all replicas of a service. One name
    stands for whatever it resolves to.
    """

    model_config = SettingsConfigDict(env_prefix="CONTACTSYNC_", env_ignore_empty=True, frozen=True)

    listen: str
    """host:port of the gRPC server."""
    service_key_file: Path
    """By it services know each other: the service's own keys, as `contactsync certs` makes them, or the hub's key, 32
    bytes or more in hex, the same for every service."""
    tls_ca_file: Path | None = None
    """The certificate of the hub's own authority, whose certificates are believed. Absent: no TLS between services."""
    tls_cert_file: Path | None = None
    """This service's certificate, with its name. Files that change are read anew."""
    tls_key_file: Path | None = None
    """The private key of the certificate."""
    linger: timedelta = Field(default=timedelta(0), ge=timedelta(0), le=timedelta(seconds=3))
    """How long after SIGTERM calls are still taken: as long as the gateway may need to see NOT_SERVING."""
    gateways: str = "127.0.0.0/8,::1/128"
    """Addresses and networks, comma-separated, whose word for where a call comes from is believed."""
    otlp_endpoint: str | None = None
    """Where spans go, `http://host:4317`. Absent: nowhere."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    trace_rate: float = Field(default=20.0, ge=0)
    """Own traces recorded in full in a second, before the ratio applies."""
    trace_ratio: float = Field(default=0.01, ge=0, le=1)
    """The part recorded of the rest."""
    metrics_listen: str = ""
    """host:port where Prometheus reads the process's numbers, without a key: loopback, or a network of the operator's
    own. Empty: nowhere."""
    otlp_metrics_endpoint: str | None = None
    """Where the numbers are sent too, `http://host:4317`; a setting of its own, since Jaeger takes none."""

    def read_service_key(self) -> bytes | dict[str, bytes]:
        """The key by which services know each other, or this service's keys by name. Raises KeyFileError."""
        return read_service_keys("CONTACTSYNC_SERVICE_KEY_FILE", self.service_key_file)

    def tls_files(self) -> tuple[Path, Path, Path] | None:
        """The authority's certificate, this service's, and its private key; None: no TLS.

        Raises CertificateError when one is missing or they do not go together.
        """
        return read_tls_files(self.tls_ca_file, self.tls_cert_file, self.tls_key_file)

    @field_validator("*")
    @classmethod
    def _check_addresses(cls, value: object, about: ValidationInfo) -> object:
        if about.field_name and about.field_name.endswith("_address"):
            _check_address(str(value))
        return value

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _is_a_place(cls, text: str) -> str:
        if text and not _PLACE.fullmatch(text):
            raise ValueError("host:port is wanted")
        return text

    @field_validator("log_level")
    @classmethod
    def _is_a_level(cls, text: str) -> str:
        if text.upper() not in _LEVELS:
            raise ValueError(f"one of {', '.join(_LEVELS)} is wanted")
        return text.upper()

    @field_validator("gateways")
    @classmethod
    def _check_gateways(cls, text: str) -> str:
        _networks(text)
        return text

    def gateway_networks(self) -> tuple[Network, ...]:
        """The networks of the gateways."""
        return _networks(self.gateways)

    def telemetry(self) -> TelemetrySettings:
        """What telemetry is configured with."""
        return {
            "otlp_endpoint": self.otlp_endpoint,
            "level": self.log_level,
            "trace_rate": self.trace_rate,
            "trace_ratio": self.trace_ratio,
        }

    def metrics(self) -> MetricsSettings:
        """On what ways the process tells its numbers."""
        return {"listen": self.metrics_listen, "otlp_endpoint": self.otlp_metrics_endpoint}


def _check_address(text: str) -> None:
    hosts = [each.strip().rpartition(":")[0].strip("[]") for each in text.split(",")]
    if len(hosts) > 1:
        for host in hosts:
            ip_address(host)  # of several names nobody would know which is well


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())

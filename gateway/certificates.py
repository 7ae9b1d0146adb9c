"""TLS at both ends of the gateway: whom it believes to be a service, and what it shows to services and to callers.

Certificates come from files that Envoy reads anew when others are moved in their place (SDS from the file system).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Config = dict[str, Any]
_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate and its private key, in PEM files of one folder; ``secret`` is where `secret_file` is written."""

    cert: Path
    key: Path
    secret: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """How the gateway and the services know each other: the hub's own authority, and what the gateway shows."""

    ca: Path
    own: Certificate
    identity_of: Callable[[str], str]
    """The name that stands in a service's certificate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A listener for callers over HTTPS, beside the one in the clear."""

    listen: str
    shown: Certificate


def secret_file(certificate: Certificate) -> str:
    """What Envoy reads to find the certificate."""
    secret = {
        "@type": f"{_TLS}.Secret",
        "name": certificate.secret.stem,
        "tls_certificate": {
            "certificate_chain": {"filename": str(certificate.cert)},
            "private_key": {"filename": str(certificate.key)},
            "watched_directory": {"path": str(certificate.cert.parent)},
        },
    }
    return yaml.safe_dump({"resources": [secret]}, sort_keys=False)


def to_service(inside: Inside, service: str) -> Config:
    """The transport of a cluster: only who shows the service's own certificate is the service."""
    believed = {
        "trusted_ca": {"filename": str(inside.ca)},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": inside.identity_of(service)}}],
    }
    context = {
        "@type": f"{_TLS}.UpstreamTlsContext",
        "sni": inside.identity_of(service),
        "common_tls_context": {**_showing(inside.own), "validation_context": believed, "alpn_protocols": ["h2"]},
    }
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def to_callers(outside: Outside) -> Config:
    """The transport of the public listener."""
    context = {
        "@type": f"{_TLS}.DownstreamTlsContext",
        "common_tls_context": {**_showing(outside.shown), "alpn_protocols": ["h2", "http/1.1"]},
    }
    return {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": context}}


def _showing(certificate: Certificate) -> Config:
    source = {
        "path_config_source": {
            "path": str(certificate.secret),
            "watched_directory": {"path": str(certificate.secret.parent)},
        },
        "resource_api_version": "V3",
    }
    return {
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
        "tls_certificate_sds_secret_configs": [{"name": certificate.secret.stem, "sds_config": source}],
    }

"""What a client may do and within which limits: settings as asked for, and as they are in force."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from services.access.domain.errors import InvalidClientError, Violation
from services.access.domain.region import REGIONS

Network = IPv4Network | IPv6Network


class Scope(Enum):
    """What a key allows."""

    IMPORT = "import"
    READ = "read"
    ADMIN = "admin"


class Duplicates(Enum):
    """What happens to rows of one import that have the same normalised identity."""

    KEEP_ALL = "keep_all"
    KEEP_LAST = "keep_last"


DEFAULT_SCOPES = (Scope.IMPORT, Scope.READ)
DEFAULT_REGION = "RU"
DEFAULT_DESTINATIONS = ("directory",)
DEFAULT_RATE = 10.0
LEAST_RATE, MOST_RATE = 0.01, 10_000.0
"""Requests per second. Below the least a refusal's Retry-After would pass the 100 s that any caller waits."""

_DESTINATION_ID = re.compile(r"[!-~]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSettings:
    """Settings as asked for: an empty text, list or zero means the default."""

    scopes: Sequence[Scope] = ()
    default_region: str = ""
    destination_ids: Sequence[str] = ()
    duplicates: Duplicates | None = None
    rate: float = 0.0
    allowed_networks: Sequence[str] = ()
    hmac: bool = False
    workspace_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """Settings in force: nothing left to default, nothing given twice. No allowed network means any address."""

    scopes: tuple[Scope, ...] = DEFAULT_SCOPES
    default_region: str = DEFAULT_REGION
    destination_ids: tuple[str, ...] = DEFAULT_DESTINATIONS
    duplicates: Duplicates = Duplicates.KEEP_ALL
    rate: float = DEFAULT_RATE
    allowed_networks: tuple[Network, ...] = ()
    hmac: bool = False
    workspace_id: str = ""
    """Where in the contact book its contacts land. Empty: the first workspace."""


def fill_settings(wanted: WantedSettings) -> ClientSettings:
    """Check the settings and put the defaults in; InvalidClientError lists every rule they break."""
    networks, bad_networks = _networks(wanted.allowed_networks)
    broken = [
        *_region(wanted.default_region),
        *_destinations(wanted.destination_ids),
        *_rate(wanted.rate),
        *bad_networks,
    ]
    if broken:
        raise InvalidClientError(broken)
    return _filled(wanted, networks)


def _filled(wanted: WantedSettings, networks: Iterable[Network]) -> ClientSettings:
    return ClientSettings(
        scopes=tuple(scope for scope in Scope if scope in (wanted.scopes or DEFAULT_SCOPES)),
        default_region=wanted.default_region or DEFAULT_REGION,
        destination_ids=tuple(dict.fromkeys(wanted.destination_ids)) or DEFAULT_DESTINATIONS,
        duplicates=wanted.duplicates or Duplicates.KEEP_ALL,
        rate=wanted.rate or DEFAULT_RATE,
        allowed_networks=tuple(dict.fromkeys(networks)),
        hmac=wanted.hmac,
        workspace_id=wanted.workspace_id,
    )


def _region(region: str) -> Iterable[Violation]:
    if region and region not in REGIONS:
        message = (
            "must be the ISO 3166-1 alpha-2 code of a region with telephone numbers, in upper case, for example RU"
        )
        yield Violation("/settings/default_region", "unknown_region", message, region[:64])


def _destinations(destination_ids: Sequence[str]) -> Iterable[Violation]:
    for index, destination_id in enumerate(destination_ids):
        if not _DESTINATION_ID.fullmatch(destination_id):
            message = "must be 1 to 64 printable ASCII characters without spaces"
            yield Violation(f"/settings/destination_ids/{index}", "bad_destination_id", message, destination_id[:64])


def _rate(rate: float) -> Iterable[Violation]:
    if rate and not (math.isfinite(rate) and LEAST_RATE <= rate <= MOST_RATE):
        message = f"must be {LEAST_RATE:g} to {MOST_RATE:,.0f} requests per second, or 0 for the default"
        yield Violation("/settings/rate", "bad_rate", message, str(rate))


def _networks(texts: Sequence[str]) -> tuple[list[Network], list[Violation]]:
    networks: list[Network] = []
    broken: list[Violation] = []
    for index, text in enumerate(texts):
        network = _network(text)
        if isinstance(network, str):
            broken.append(Violation(f"/settings/allowed_networks/{index}", "bad_network", network, text[:64]))
        else:
            networks.append(network)
    return networks, broken


def _network(text: str) -> Network | str:
    """Read CIDR notation or a lone address; a text says what is wrong.

    Bits beyond the prefix are refused, not cut off: the slip may be in either part.
    """
    try:
        network = ip_network(text, strict=False)
        address = ip_address(text.partition("/")[0])
    except ValueError:
        return "must be an IPv4 or IPv6 network, for example 203.0.113.0/24 or 2001:db8::/32"
    if "%" in text:
        return "must not have a zone"
    if address != network.network_address:
        return f"has bits set beyond its prefix; the network is {network}"
    return network

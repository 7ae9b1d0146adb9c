"""From where a call comes."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, TypeAlias
from urllib.parse import unquote

import grpc

from libs.rpc.caller import Network

Address: TypeAlias = IPv4Address | IPv6Address

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_FORWARDED, _NAMED = "x-forwarded-for", "x-contactsync-client"


def calling_address(
    context: "grpc.aio.ServicerContext[Any, Any]", headers: Mapping[str, str], gateways: Sequence[Network]
) -> Address | None:
    """The address that called; through a gateway, the one that called the gateway. None: not an internet address.

    The hub's own gateway names it, also when there are proxies in front that it trusts. Any gateway appends to
    X-Forwarded-For, so there only the last hop is its word. And only the word of a trusted gateway counts.
    """
    peer = _peer_address(context.peer() or "")
    named = headers.get(_NAMED) or headers.get(_FORWARDED)
    if peer is None or named is None or not is_within(peer, gateways):
        return peer
    return _read(named.rpartition(",")[2].strip())


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """True: one of the networks holds the address."""
    return any(address.version == network.version and address in network for network in networks)


def _peer_address(peer: str) -> Address | None:
    """From gRPC's spelling: ipv4:1.2.3.4:5 or ipv6:[::1]:5, in URL encoding."""
    kind, _, rest = unquote(peer).partition(":")
    if kind not in {"ipv4", "ipv6"}:
        return None
    return _read(rest.rpartition(":")[0].strip("[]"))


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address

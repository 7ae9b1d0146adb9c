"""Where outgoing calls may go: no address of the hub's own network, unless the operator opened its subnet.

Not `ipaddress.is_global`: on Python 3.11 it calls some private ranges global. The list is written out instead.
"""

import asyncio
import re
import socket
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override
from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

FORBIDDEN: tuple[Network, ...] = (
    ip_network("0.0.0.0/8"),
    ip_network("10.0.0.0/8"),
    ip_network("100.64.0.0/10"),
    ip_network("127.0.0.0/8"),
    ip_network("169.254.0.0/16"),
    ip_network("172.16.0.0/12"),
    ip_network("192.0.0.0/24"),
    ip_network("192.0.2.0/24"),
    ip_network("192.88.99.0/24"),
    ip_network("192.168.0.0/16"),
    ip_network("198.18.0.0/15"),
    ip_network("198.51.100.0/24"),
    ip_network("203.0.113.0/24"),
    ip_network("224.0.0.0/4"),
    ip_network("240.0.0.0/4"),
    ip_network("::/96"),
    ip_network("64:ff9b::/96"),
    ip_network("64:ff9b:1::/48"),
    ip_network("100::/64"),
    ip_network("2001::/23"),
    ip_network("2001:db8::/32"),
    ip_network("2002::/16"),
    ip_network("3fff::/20"),
    ip_network("5f00::/16"),
    ip_network("fc00::/7"),
    ip_network("fe80::/10"),
    ip_network("fec0::/10"),
    ip_network("ff00::/8"),
)
_RESOLVING_S = 5.0
_HOST = re.compile(r"[a-z0-9._:-]+", re.ASCII | re.IGNORECASE)


class ForbiddenAddressError(OSError):
    """A name resolves to an address that the hub may not call. It names neither: they are the operator's."""


class EgressRules:
    """The rules, at save (`objection`) and at every connection (`CheckedResolver`, `may_call_host`)."""

    def __init__(self, allowed: Sequence[Network] = ()) -> None:
        """`allowed` opens subnets that are forbidden otherwise."""
        self._allowed = tuple(allowed)

    def may_call(self, address: Address) -> bool:
        """An IPv4 address in IPv6 clothes is judged as what it is."""
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                return False
            address = address.ipv4_mapped or address
        return self._is_in(address, self._allowed) or not self._is_in(address, FORBIDDEN)

    def may_call_host(self, host: str) -> bool:
        """True for every name: what it resolves to is checked when it is resolved."""
        try:
            address = literal_address(host)
        except ValueError:
            return False
        return address is None or self.may_call(address)

    async def objection(self, url: str) -> str | None:
        """Say why the URL may not be called. None: it may be; a name that does not resolve now is let through."""
        try:
            parsed = URL(url)
            host = parsed.raw_host
            flaw = _flaw(url, parsed)
        except ValueError:
            return "It is not a URL."
        if flaw is not None or host is None:
            return flaw
        if not self.may_call_host(host) or not await self._may_call_name(host):
            return "It leads to an address that the hub may not call; CONTACTSYNC_EGRESS_ALLOW opens subnets."
        return None

    async def resolve(self, host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
        """Give the addresses of a name, all of which may be called; ForbiddenAddressError when one may not."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        addresses = [(each[0], str(each[4][0])) for each in found]
        if not all(self.may_call(ip_address(address)) for _, address in addresses):
            raise ForbiddenAddressError
        return [_resolved(host, port, each, address) for each, address in addresses]

    async def _may_call_name(self, host: str) -> bool:
        try:
            async with asyncio.timeout(_RESOLVING_S):
                await self.resolve(host, 443, socket.AF_UNSPEC)
        except ForbiddenAddressError:
            return False
        except (OSError, UnicodeError):
            return True
        return True

    @staticmethod
    def _is_in(address: Address, networks: Sequence[Network]) -> bool:
        return any(address.version == network.version and address in network for network in networks)


class CheckedResolver(AbstractResolver):
    """aiohttp's way to resolve names: it connects to these addresses and asks no second time."""

    def __init__(self, rules: EgressRules) -> None:
        self._rules = rules

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Give the addresses."""
        return await self._rules.resolve(host, port, family)

    @override
    async def close(self) -> None:
        """Nothing is held."""


@lru_cache(maxsize=1024)
def literal_address(host: str) -> Address | None:
    """Give the address that a host spells in any form that some resolver takes: dotted, short, decimal, octal, hex.

    None: it is a name. ValueError: it has a colon, and is no address.
    """
    bare = host.strip("[]").rstrip(".").lower()
    if ":" in bare:
        return ip_address(bare)
    if bare == "localhost" or bare.endswith(".localhost"):  # whatever a resolver says (RFC 6761)
        return IPv4Address("127.0.0.1")
    try:
        return IPv4Address(socket.inet_aton(bare))
    except OSError:
        return None


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read comma-separated CIDRs; ValueError names the one that is none."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _flaw(url: str, parsed: URL) -> str | None:
    if any(ord(character) <= 32 or ord(character) == 127 for character in url):
        return "It holds a space or a control character."
    if parsed.scheme not in {"http", "https"} or not parsed.raw_host:
        return "It must begin with http:// or https:// and name a host."
    if _HOST.fullmatch(parsed.raw_host) is None:
        return "Its host holds a character that no host name has."
    if parsed.raw_user is not None or parsed.raw_password is not None:
        return "It must not hold a user or a password."
    if parsed.raw_fragment:
        return "It must not hold a fragment."
    return None if parsed.port else "Its port must be 1 to 65535."


def _resolved(host: str, port: int, family: int, address: str) -> ResolveResult:
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)

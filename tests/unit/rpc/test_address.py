"""Where a call comes from."""

from ipaddress import ip_address, ip_network
from typing import Any, cast

import pytest

from libs.rpc.address import LOOPBACK, calling_address, is_within


class Context:
    def __init__(self, peer: str) -> None:
        self._peer = peer

    def peer(self) -> str:
        return self._peer


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("ipv4:203.0.113.9:5000", None, "203.0.113.9"),
        ("ipv6:%5B2001:db8::1%5D:5000", None, "2001:db8::1"),
        ("ipv6:[::ffff:203.0.113.9]:5000", None, "203.0.113.9"),
        ("ipv4:203.0.113.9:5000", "198.51.100.1", "203.0.113.9"),  # no gateway: its word does not count
        ("ipv4:127.0.0.1:5000", "10.0.0.1, 198.51.100.1", "198.51.100.1"),  # only the last hop is the gateway's word
        ("ipv6:%5B::1%5D:5000", "2001:db8::1", "2001:db8::1"),
        ("ipv4:127.0.0.1:5000", "unknown", None),
        ("ipv4:127.0.0.1:5000", "", None),
        ("unix:/run/x.sock", None, None),
        ("", None, None),
    ],
)
def test_calling_address(peer: str, forwarded: str | None, address: str | None) -> None:
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}

    found = calling_address(cast("Any", Context(peer)), headers, LOOPBACK)

    assert found == (address and ip_address(address))


@pytest.mark.parametrize(
    ("peer", "address"),
    [("ipv4:127.0.0.1:5000", "2001:db8::7"), ("ipv4:203.0.113.9:5000", "203.0.113.9")],
)
def test_the_hubs_own_gateway_names_the_address_behind_trusted_proxies(peer: str, address: str) -> None:
    headers = {"x-contactsync-client": "2001:db8::7", "x-forwarded-for": "2001:db8::7, 198.51.100.1"}

    assert calling_address(cast("Any", Context(peer)), headers, LOOPBACK) == ip_address(address)


def test_networks_hold_addresses_of_their_own_version() -> None:
    networks = [ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")]

    assert is_within(ip_address("10.1.2.3"), networks)
    assert is_within(ip_address("2001:db8::5"), networks)
    assert not is_within(ip_address("11.1.2.3"), networks)
    assert not is_within(ip_address("::"), networks)

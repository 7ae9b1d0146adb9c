"""Where calls to a service go."""

import pytest

from libs.rpc.target import target_of


@pytest.mark.parametrize("address", ["127.0.0.1:1", "[::1]:1"])
def test_one_address_is_dialled_as_it_is(address: str) -> None:
    assert target_of(address) == (address, ())


def test_several_addresses_are_asked_in_turn() -> None:
    target, options = target_of("127.0.0.1:1, 127.0.0.2:1")

    assert target == "ipv4:127.0.0.1:1,127.0.0.2:1"
    assert "round_robin" in dict(options)["grpc.service_config"]


def test_a_name_stands_for_its_replicas() -> None:
    target, options = target_of("access:9000")

    assert target == "dns:///access:9000"
    assert "round_robin" in dict(options)["grpc.service_config"]


@pytest.mark.parametrize("addresses", ["", "a:1,b:1", "127.0.0.1:1,b:1", "127.0.0.1:1,[::1]:1"])
def test_what_cannot_be_balanced_is_refused(addresses: str) -> None:
    with pytest.raises(ValueError, match="neither one host:port nor several"):
        target_of(addresses)

from ipaddress import ip_network

import phonenumbers
import pytest

from services.access.domain.client_settings import ClientSettings, Duplicates, Scope, WantedSettings, fill_settings
from services.access.domain.errors import InvalidClientError
from services.access.domain.region import REGIONS


def test_settings_that_say_nothing_get_every_default() -> None:
    assert fill_settings(WantedSettings()) == ClientSettings(
        scopes=(Scope.IMPORT, Scope.READ),
        default_region="RU",
        destination_ids=("directory",),
        duplicates=Duplicates.KEEP_ALL,
        rate=10.0,
        allowed_networks=(),
        hmac=False,
    )


def test_what_is_given_stays() -> None:
    wanted = WantedSettings(
        scopes=[Scope.ADMIN],
        default_region="IN",
        destination_ids=["crm", "book", "crm"],
        duplicates=Duplicates.KEEP_LAST,
        rate=0.5,
        allowed_networks=["203.0.113.7", "2001:db8::/32"],
        hmac=True,
        workspace_id="w",
    )

    assert fill_settings(wanted) == ClientSettings(
        scopes=(Scope.ADMIN,),
        default_region="IN",
        destination_ids=("crm", "book"),
        duplicates=Duplicates.KEEP_LAST,
        rate=0.5,
        allowed_networks=(ip_network("203.0.113.7/32"), ip_network("2001:db8::/32")),
        hmac=True,
        workspace_id="w",
    )


def test_regions_are_those_whose_numbers_can_be_read() -> None:
    assert REGIONS == phonenumbers.SUPPORTED_REGIONS


@pytest.mark.parametrize("region", ["ZZ", "AQ", "ru", "RUS", "EU", "001"])
def test_a_region_without_numbers_is_refused(region: str) -> None:
    with pytest.raises(InvalidClientError) as refused:
        fill_settings(WantedSettings(default_region=region))

    [violation] = refused.value.violations
    assert (violation.pointer, violation.code, violation.value) == (
        "/settings/default_region",
        "unknown_region",
        region,
    )


@pytest.mark.parametrize("rate", [-1, 0.001, 5e-324, 10_001, float("inf"), float("nan")])
def test_a_rate_out_of_bounds_is_refused(rate: float) -> None:
    with pytest.raises(InvalidClientError) as refused:
        fill_settings(WantedSettings(rate=rate))

    assert [violation.code for violation in refused.value.violations] == ["bad_rate"]


@pytest.mark.parametrize(
    ("network", "says"),
    [
        ("10.0.0.1/8", "the network is 10.0.0.0/8"),
        ("2001:db8::1/32", "the network is 2001:db8::/32"),
        ("fe80::%eth0/64", "zone"),
        ("300.0.0.0/8", "203.0.113.0/24"),
        ("10.0.0.0/33", "203.0.113.0/24"),
        ("localhost", "203.0.113.0/24"),
        ("0x7f000001", "203.0.113.0/24"),
    ],
)
def test_a_network_that_is_none_is_refused_with_what_would_do(network: str, says: str) -> None:
    with pytest.raises(InvalidClientError) as refused:
        fill_settings(WantedSettings(allowed_networks=["192.0.2.0/24", network]))

    [violation] = refused.value.violations
    assert violation.pointer == "/settings/allowed_networks/1"
    assert says in violation.message


def test_every_broken_rule_is_listed() -> None:
    wanted = WantedSettings(default_region="ZZ", destination_ids=["a b"], rate=-1, allowed_networks=["x"])

    with pytest.raises(InvalidClientError) as refused:
        fill_settings(wanted)

    assert [violation.pointer for violation in refused.value.violations] == [
        "/settings/default_region",
        "/settings/destination_ids/0",
        "/settings/rate",
        "/settings/allowed_networks/0",
    ]


def test_a_long_value_is_shortened_in_its_violation() -> None:
    with pytest.raises(InvalidClientError) as refused:
        fill_settings(WantedSettings(destination_ids=["é" * 100]))

    assert refused.value.violations[0].value == "é" * 64

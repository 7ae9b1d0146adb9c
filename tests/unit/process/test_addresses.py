"""Where a service's peers are: one address, or those of all replicas."""

import pytest
from pydantic import ValidationError

from libs.process import ProcessSettings


class Settings(ProcessSettings):
    access_address: str = "127.0.0.1:21001"


def settings(address: str) -> Settings:
    return Settings.model_validate({"listen": "127.0.0.1:0", "service_key_file": "key", "access_address": address})


@pytest.mark.parametrize("address", ["access:9000", "127.0.0.1:1", "127.0.0.1:1, 127.0.0.2:1", "[::1]:1,[::1]:2"])
def test_one_name_or_any_number_of_numeric_addresses_is_taken(address: str) -> None:
    assert settings(address).access_address == address


def test_several_names_are_refused() -> None:
    with pytest.raises(ValidationError, match="access_address"):
        settings("access-1:9000,access-2:9000")

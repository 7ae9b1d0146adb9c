"""What operators write of a source, and what the hub is told."""

import json

import pytest
import typer

from libs.cli.sources.config import read_config


def test_config_is_what_the_design_says() -> None:
    given = {
        "retry": {"first_delay_s": 0.05, "max_delay_s": 2, "max_attempts": 3, "timeout_s": 10},
        "max_pages": 50,
        "page_size": 2,
        "interval_h": 0.5,
        "token": "t",
        "enterprise_id": "e",
    }

    read = read_config(json.dumps(given))

    assert read["secrets"] == {"token": "t"}
    assert read["settings"] == {
        "retry": {"first_delay": "0.05s", "max_delay": "2s", "timeout": "10s", "max_attempts": 3},
        "max_pages": 50,
        "page_size": 2,
        "interval": "1800s",
        "enterprise_id": "e",
    }


@pytest.mark.parametrize(
    ("text", "pointers"),
    [
        ("[]", []),
        ("{", []),
        ('{"pagesize": 2, "retry": {"delay": 1}}', ["/pagesize", "/retry/delay"]),
        ('{"retry": 5, "page_size": "ten", "interval_h": "x"}', ["/retry", "/page_size", "/interval_h"]),
        ('{"page_size": 0, "max_pages": 0}', ["/page_size", "/max_pages"]),
        ('{"interval_h": -1}', ["/interval_h"]),
        ('{"retry": {"max_attempts": 0, "first_delay_s": "1"}}', ["/retry/max_attempts", "/retry/first_delay_s"]),
    ],
)
def test_every_fault_of_a_config_is_named(text: str, pointers: list[str]) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        read_config(text)

    assert [pointer for pointer in pointers if f"{pointer}: " not in caught.value.message] == []


def test_a_delay_of_nothing_is_not_the_default() -> None:
    assert read_config('{"retry": {"first_delay_s": 0}}')["settings"] == {"retry": {"first_delay": "0.001s"}}

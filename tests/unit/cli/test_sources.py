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


@pytest.mark.parametrize("text", ["[]", "{", '{"pagesize": 2}', '{"retry": {"delay": 1}}'])
def test_config_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        read_config(text)

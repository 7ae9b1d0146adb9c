"""A setting that cannot be is named with what is wanted, before anything runs."""

import pytest

from libs.process import ProcessSettings, run_process


async def never(_: ProcessSettings) -> None:
    raise AssertionError("it must not begin")


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR is wanted"),
        ("LISTEN", "here", "host:port is wanted"),
        ("LISTEN", "", "it is missing"),
        ("METRICS_LISTEN", "127.0.0.1", "host:port is wanted"),
        ("TRACE_RATIO", "2", "less than or equal to 1"),
        ("TRACE_RATE", "often", "a valid number"),
        ("GATEWAYS", "everywhere", "everywhere"),
        ("LINGER", "PT1H", "less than or equal to"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_what_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, wanted: str
) -> None:
    monkeypatch.setenv("CONTACTSYNC_LISTEN", "127.0.0.1:0")
    monkeypatch.setenv("CONTACTSYNC_SERVICE_KEY_FILE", "key")
    monkeypatch.setenv(f"CONTACTSYNC_{name}", value)

    with pytest.raises(SystemExit) as ended:
        run_process("tested", ProcessSettings, never)

    told = capsys.readouterr().err
    assert ended.value.code == 78
    assert told.startswith(f"tested cannot start: these settings are missing or not valid: CONTACTSYNC_{name} (")
    assert wanted in told
    assert told.count("\n") == 1


def test_a_level_is_taken_in_any_case() -> None:
    given = {"listen": "127.0.0.1:0", "service_key_file": "key", "log_level": "debug"}

    assert ProcessSettings.model_validate(given).log_level == "DEBUG"

import os
import sys
from pathlib import Path
from subprocess import run

import pytest

from services.normalization.main import phone_parser
from services.normalization.phones.compiled import CompiledPhones
from services.normalization.phones.library import LibraryPhones
from services.normalization.settings import Settings


def test_the_fast_path_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTSYNC_SERVICE_KEY_FILE", "/nowhere")
    monkeypatch.setenv("CONTACTSYNC_FAST_PHONES", "false")

    settings = Settings.model_validate({})

    assert isinstance(phone_parser(settings), LibraryPhones)


def test_the_fast_path_is_on_by_default() -> None:
    assert isinstance(phone_parser(Settings(service_key_file=Path("/nowhere"))), CompiledPhones)


def test_no_region_is_loaded_at_start() -> None:
    program = (
        "import sys, services.normalization.main\n"
        "sys.exit(sum(name.startswith('phonenumbers.data.region') for name in sys.modules))"
    )

    assert run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "CONTACTSYNC_SERVICE_KEY_FILE"),
        ("no-hex", "does not hold hex digits alone"),
        ("aa", "instead of 32 or more"),
    ],
)
def test_what_keeps_it_from_starting_is_told_in_one_line(tmp_path: Path, content: str | None, told: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTSYNC_")}
    if content is not None:
        key = tmp_path / "service.key"
        key.write_text(content)
        environment["CONTACTSYNC_SERVICE_KEY_FILE"] = str(key)

    ended = run(
        [sys.executable, "-m", "services.normalization.main"], check=False, capture_output=True, env=environment
    )

    assert ended.returncode == os.EX_CONFIG
    assert told in ended.stderr.decode()
    assert ended.stderr.decode().count("\n") == 1

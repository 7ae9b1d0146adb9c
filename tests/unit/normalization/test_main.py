import sys
from pathlib import Path
from subprocess import run

import pytest

from services.normalization.main import SERVICE, registration
from services.normalization.server import NormalizationServer
from services.normalization.settings import Settings


def test_the_fast_path_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTACTSYNC_SERVICE_KEY_FILE", "/nowhere")
    monkeypatch.setenv("CONTACTSYNC_FAST_PHONES", "false")

    settings = Settings()  # type: ignore[call-arg]  # the environment gives them

    assert not settings.fast_phones
    assert isinstance(registration(settings).servicer, NormalizationServer)


def test_the_fast_path_is_on_by_default() -> None:
    settings = Settings(service_key_file=Path("/nowhere"))

    assert settings.fast_phones
    assert registration(settings).service is SERVICE


def test_no_region_is_loaded_at_start() -> None:
    program = (
        "import sys, services.normalization.main\n"
        "sys.exit(sum(name.startswith('phonenumbers.data.region') for name in sys.modules))"
    )

    assert run([sys.executable, "-c", program], check=False).returncode == 0

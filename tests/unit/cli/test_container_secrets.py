import re
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from libs.cli.containers.environment import secret_files
from libs.cli.containers.files import container_files
from libs.cli.containers.secrets import make_secrets
from libs.cli.stack.plan import BUS_ACCOUNTS, CONSOLE, SERVICES
from libs.process.certificates import read_tls_files
from libs.process.keys import read_key_file, read_service_keys


def test_every_secret_that_compose_names_is_made(tmp_path: Path) -> None:
    compose = (Path(__file__).resolve().parents[3] / "docker-compose.yml").read_text()
    make_secrets(tmp_path)

    named = re.findall(r"file: \./secrets/(\w+)", compose)
    assert len(named) == 15
    assert all((tmp_path / name).is_file() for name in named)


def test_services_can_use_what_is_made(tmp_path: Path) -> None:
    make_secrets(tmp_path)

    for service in SERVICES:
        keys = read_service_keys("", tmp_path / f"{service}_keys")
        assert isinstance(keys, dict)
        assert set(keys) == set(SERVICES)
        certs = tmp_path / "certs" / service
        assert read_tls_files(certs / "ca.pem", certs / "tls.pem", certs / "tls.key")
    assert len(read_key_file("", tmp_path / "master_key", exactly=32)) == 32
    assert secret_files(CONSOLE) == ("master_key",)


def test_container_sees_its_secret_as_another_user_and_nobody_else_sees_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    make_secrets(folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "master_key").stat().st_mode) == 0o644
    assert stat.S_IMODE((folder / "authority").stat().st_mode) == 0o700


def test_a_second_run_changes_nothing_but_certificates_near_their_end(tmp_path: Path) -> None:
    make_secrets(tmp_path, life=timedelta(days=30))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    made = make_secrets(tmp_path, life=timedelta(days=30))

    assert made == []
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_server_of_the_bus_takes_its_configuration_with_the_passwords_that_are_made(tmp_path: Path) -> None:
    make_secrets(tmp_path / "run" / "secrets")
    config = tmp_path / "etc" / "contactsync" / "nats.conf"
    config.parent.mkdir(parents=True)
    config.write_text(container_files()["nats.conf"].replace('"/data"', f'"{tmp_path / "data"}"'))

    checked = subprocess.run(
        [str(Path(sys.executable).with_name("nats-server")), "-t", "--config", str(config)],
        env={"NATS_NODE": "nats-0"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr
    accounts = (tmp_path / "run" / "secrets" / "nats_accounts").read_text()
    assert all((tmp_path / "run" / "secrets" / f"nats_{name}").read_text() in accounts for name in BUS_ACCOUNTS)

"""The secrets of a hub in containers, each in a file of its own."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from libs.cli.containers.files import nats_variables
from libs.cli.stack.authority import Authority
from libs.cli.stack.certificates import keys_text
from libs.cli.stack.folder import write_private
from libs.cli.stack.plan import BUS_ACCOUNTS, CONSOLE, SERVICES

_LIFE = timedelta(days=90)
_CERTIFIED = (*SERVICES, CONSOLE, "gateway")


def make_secrets(folder: Path, *, life: timedelta = _LIFE) -> list[str]:
    """Makes what is missing, and certificates that are near their end; gives the names of those that were made.

    The folder is its owner's alone. The files in it may be read by others, since a container sees them one by one, as
    another user; only what no container needs, ``authority`` and the keys in ``hub``, is the owner's alone too.
    """
    for each in (folder, folder / "authority", folder / "hub"):
        each.mkdir(parents=True, exist_ok=True, mode=0o700)
        each.chmod(0o700)
    hub_key = bytes.fromhex(_kept(folder / "hub" / "service_key"))
    for service in SERVICES:
        _share(folder / f"{service}_keys", keys_text(service, hub_key, SERVICES))
    for name in ("master_key", "pepper_key", "postgres_password", "grafana_password"):
        _share(folder / name, _kept(folder / "hub" / name))
    passwords = {name: _kept(folder / "hub" / f"nats_{name}") for name in BUS_ACCOUNTS}
    for name, password in passwords.items():
        _share(folder / f"nats_{name}", password)
    _share(folder / "nats_accounts", nats_variables(passwords, _kept(folder / "hub" / "nats_route")))
    return _certify(folder, life)


def _certify(folder: Path, life: timedelta) -> list[str]:
    authority = Authority(folder / "authority", life=life)
    made = authority.issue(_CERTIFIED, now=datetime.now(UTC))
    for name in _CERTIFIED:
        own, files = folder / "certs" / name, authority.files(name)
        own.mkdir(parents=True, exist_ok=True, mode=0o755)
        for file, source in {"ca.pem": files.ca, "tls.pem": files.cert, "tls.key": files.key}.items():
            _share(own / file, source.read_text())
    return made


def _kept(file: Path) -> str:
    if not file.exists():
        write_private(file, secrets.token_hex(32))
    return file.read_text()


def _share(file: Path, text: str) -> None:
    """Writes it for whoever finds it; unchanged, it is left alone."""
    if not file.exists() or file.read_text() != text:
        write_private(file, text)
        file.chmod(0o644)

"""By what the hub's processes know each other: each one's own keys, and where TLS is on its certificate."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gateway.certificates import Certificate, Inside, Outside
from libs.cli.stack.authority import Authority
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder, write_private
from libs.rpc.identity import keys_of
from libs.rpc.tls import Tls, identity_of

_CALLERS = ("console", "gateway", "operator")


def names_of(services: Sequence[str]) -> tuple[str, ...]:
    """Who has a certificate: the services, those who call them for others, and the operator of the machine."""
    return (*services, *_CALLERS)


def keys_text(service: str, hub_key: bytes, services: Sequence[str]) -> str:
    """A service's own keys as its file has them."""
    return "".join(f"{name} {key.hex()}\n" for name, key in keys_of(service, hub_key, services).items())


def operator_of(folder: DataFolder, *, tls: bool) -> Tls:
    """How the operator of this machine calls the services of the hub on a folder."""
    files = _authority(folder).files("operator")
    return Tls((files.ca, files.cert, files.key)) if tls else Tls()


def first_end(folder: DataFolder) -> datetime:
    """When the first of the certificates ends that the hub on a folder has."""
    return _authority(folder).first_end()


def listen_outside(data: Path, listen: str, cert: Path | None, key: Path | None) -> Outside | None:
    """A listener for HTTPS at ``listen``; empty: None. Raises CannotStart for a certificate that is none."""
    if not listen:
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or cert is None or key is None:
        remedy = "Give --https HOST:PORT, --tls-cert FILE and --tls-key FILE together."
        raise CannotStart("HTTPS needs an address, a certificate and its key", remedy=remedy)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        remedy = "Both are PEM files, and belong together."
        raise CannotStart(f"{cert} and {key} cannot be used: {error.strerror}", remedy=remedy) from error
    secret = data.resolve() / "run" / "outside.yaml"
    return Outside(listen=listen, shown=Certificate(cert=cert.resolve(), key=key.resolve(), secret=secret))


def _authority(folder: DataFolder) -> Authority:
    return Authority(folder.root / "certs")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Those of a hub on one machine."""

    folder: DataFolder
    services: tuple[str, ...]
    tls: bool

    def prepare(self, now: datetime) -> None:
        """Writes each service's keys, and makes the certificates that are missing or near their end."""
        hub_key = bytes.fromhex(self.folder.key("service").read_text())
        self.folder.service_keys.mkdir(exist_ok=True, mode=0o700)
        for service in self.services:
            write_private(self._keys(service), keys_text(service, hub_key, self.services))
        self.renew(now)

    def renew(self, now: datetime) -> list[str]:
        """The names of those that were made, which their owners find by themselves."""
        return _authority(self.folder).issue(names_of(self.services), now=now) if self.tls else []

    def environment(self, service: str) -> dict[str, str]:
        """The settings of a process; the console has no keys, since it is nobody by itself."""
        keys = {"CONTACTSYNC_SERVICE_KEY_FILE": str(self._keys(service))} if service in self.services else {}
        if not self.tls:
            return keys
        files = _authority(self.folder).files(service)
        return keys | {
            "CONTACTSYNC_TLS_CA_FILE": str(files.ca),
            "CONTACTSYNC_TLS_CERT_FILE": str(files.cert),
            "CONTACTSYNC_TLS_KEY_FILE": str(files.key),
        }

    def gateway(self) -> Inside | None:
        """What the gateway shows to services, and whom it believes. None: no TLS."""
        if not self.tls:
            return None
        files = _authority(self.folder).files("gateway")
        secret = self.folder.root / "run" / "inside.yaml"
        own = Certificate(cert=files.cert, key=files.key, secret=secret)
        return Inside(ca=files.ca, own=own, identity_of=identity_of)

    def _keys(self, service: str) -> Path:
        return self.folder.service_keys / f"{service}.keys"

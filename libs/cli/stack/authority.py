"""The hub's own certificate authority: who is who between its processes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from libs.cli.stack.folder import write_private
from libs.rpc.tls import identity_of

LIFE = timedelta(days=30)
"""Of a certificate: as long as a stolen one is worth something. It is renewed when a third of it is left."""

_LIFE_OF_AUTHORITY = timedelta(days=3650)
_CLOCKS_APART = timedelta(minutes=5)
_HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Issued:
    """The files of one certificate."""

    ca: Path
    cert: Path
    key: Path


class Authority:
    """A private certificate authority in a folder.

    ``ca.pem`` and ``ca.key`` are its own, ``NAME.pem`` and ``NAME.key`` those of each name. Whoever reads ``ca.key``
    may be anyone to the hub: keep it off the machines that only run services.
    """

    def __init__(self, folder: Path, *, life: timedelta = LIFE) -> None:
        self._folder = folder
        self._life = life

    def files(self, name: str) -> Issued:
        """Where a name's certificate lies, or will lie."""
        return Issued(self._folder / "ca.pem", self._folder / f"{name}.pem", self._folder / f"{name}.key")

    def issue(self, names: Iterable[str], *, now: datetime, hosts: Iterable[str] = ()) -> list[str]:
        """Makes the authority unless it is there, and the certificates that are missing or near their end.

        Each has its name as `identity_of` spells it, the plain name, this machine's, and ``hosts``. Gives the names of
        those that were made; private keys are made anew with them.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ca, ca_key = self._authority(now)
        made = [name for name in names if not self._is_good(name, ca, now)]
        for name in made:
            self._make(name, ca, ca_key, now=now, hosts=(identity_of(name), name, *_HERE, *hosts))
        return made

    def first_end(self) -> datetime:
        """When the first of all certificates ends."""
        return min(
            x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc for path in self._folder.glob("*.pem")
        )

    def _authority(self, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        cert, key = self._folder / "ca.pem", self._folder / "ca.key"
        if not cert.exists():
            private = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "contactsync authority")])
            usage = x509.KeyUsage(
                digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = _builder(name, name, private, now=now, life=_LIFE_OF_AUTHORITY)
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            signed = builder.add_extension(usage, critical=True).sign(private, hashes.SHA256())
            write_private(key, _pem(private))
            write_private(cert, signed.public_bytes(serialization.Encoding.PEM).decode())
        loaded = serialization.load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{key} is no key of an elliptic curve")
        return x509.load_pem_x509_certificate(cert.read_bytes()), loaded

    def _is_good(self, name: str, ca: x509.Certificate, now: datetime) -> bool:
        files = self.files(name)
        try:
            cert = x509.load_pem_x509_certificate(files.cert.read_bytes())
            cert.verify_directly_issued_by(ca)
        except (OSError, ValueError, InvalidSignature):
            return False
        left = cert.not_valid_after_utc - now
        return files.key.exists() and left > (cert.not_valid_after_utc - cert.not_valid_before_utc) / 3

    def _make(
        self,
        name: str,
        ca: x509.Certificate,
        ca_key: ec.EllipticCurvePrivateKey,
        *,
        now: datetime,
        hosts: Iterable[str],
    ) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, ca.subject, private, now=now, life=self._life)
        both_ways = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(x509.SubjectAlternativeName([_named(host) for host in hosts]), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        signed = builder.add_extension(both_ways, critical=False).sign(ca_key, hashes.SHA256())
        files = self.files(name)
        write_private(files.key, _pem(private))
        write_private(files.cert, signed.public_bytes(serialization.Encoding.PEM).decode())


def _builder(
    subject: x509.Name, issuer: x509.Name, private: ec.EllipticCurvePrivateKey, *, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_APART)
        .not_valid_after(now + life)
    )


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(private: ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()

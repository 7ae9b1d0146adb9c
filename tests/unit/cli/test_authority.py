"""The hub's certificate authority."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from typer.testing import CliRunner

from libs.cli.main import app
from libs.cli.stack.authority import Authority

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certs", life=timedelta(days=30))


def _read(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_certificate_names_its_service_and_this_machine(authority: Authority) -> None:
    authority.issue(["source_polling"], now=NOW, hosts=["hub.example", "10.0.0.1"])

    cert = _read(authority.files("source_polling").cert)
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert names.get_values_for_type(x509.DNSName) == [
        "source_polling.contactsync.internal",
        "source_polling",
        "localhost",
        "hub.example",
    ]
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1", "10.0.0.1"]
    assert set(usage) == {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}
    assert cert.not_valid_after_utc == NOW + timedelta(days=30)


def test_certificate_is_signed_by_the_authority_and_can_sign_nothing(authority: Authority) -> None:
    authority.issue(["access"], now=NOW)

    cert, files = _read(authority.files("access").cert), authority.files("access")
    cert.verify_directly_issued_by(_read(files.ca))
    assert not cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_only_the_owner_may_read_keys(authority: Authority, tmp_path: Path) -> None:
    authority.issue(["access"], now=NOW)

    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "certs").iterdir()} == {0o600}
    assert (tmp_path / "certs").stat().st_mode & 0o777 == 0o700


def test_certificates_are_made_anew_when_a_third_of_their_life_is_left(authority: Authority) -> None:
    authority.issue(["access"], now=NOW)
    before = authority.files("access").key.read_bytes()

    assert authority.issue(["access"], now=NOW + timedelta(days=19)) == []
    assert authority.issue(["access"], now=NOW + timedelta(days=21)) == ["access"]
    assert authority.files("access").key.read_bytes() != before


def test_certificate_of_another_authority_is_made_anew(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    other.issue(["access"], now=NOW)
    authority.issue(["access"], now=NOW)
    authority.files("access").cert.write_bytes(other.files("access").cert.read_bytes())

    assert authority.issue(["access"], now=NOW) == ["access"]


def test_command_makes_everything_once(tmp_path: Path) -> None:
    first = CliRunner().invoke(app, ["certs", str(tmp_path / "made"), "--also", "partner"])
    second = CliRunner().invoke(app, ["certs", str(tmp_path / "made"), "--json"])

    made = {path.name for path in (tmp_path / "made").iterdir()}
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert '"made": []' in second.stdout
    assert made >= {"ca.pem", "partner.pem", "gateway.key", "ingestion.keys", "service.key"}
    assert "gateway.keys" not in made

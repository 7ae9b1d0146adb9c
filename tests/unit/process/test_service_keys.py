"""The hub's key, or a service's own; and certificates that go together."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from libs.cli.stack.authority import Authority
from libs.cli.stack.certificates import keys_text
from libs.process import KeyFileError
from libs.process.certificates import CertificateError, read_tls_files
from libs.process.keys import read_service_keys
from libs.rpc.identity import Identity, keys_of

HUB_KEY = b"k" * 32
SERVICES = ("ingestion", "access")


def test_hubs_key_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(HUB_KEY.hex())

    assert read_service_keys("SETTING", tmp_path / "key") == HUB_KEY


def test_services_own_keys_are_read_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(keys_text("ingestion", HUB_KEY, SERVICES))

    keys = read_service_keys("SETTING", tmp_path / "key")

    assert keys == keys_of("ingestion", HUB_KEY, SERVICES)
    assert Identity("access", HUB_KEY).verify(Identity("ingestion", keys).token("access"))


@pytest.mark.parametrize("content", ["", "ingestion zz", f"ingestion {'ab' * 31}", f"ingestion {'ab' * 32} more", "é"])
def test_file_of_another_form_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)

    with pytest.raises(KeyFileError, match="SETTING names") as refused:
        read_service_keys("SETTING", tmp_path / "key")

    assert not content or content not in str(refused.value)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path / "certs")
    made.issue(SERVICES, now=datetime.now(UTC))
    return made


def test_certificate_with_its_key_is_taken(authority: Authority) -> None:
    files = authority.files("access")

    assert read_tls_files(files.ca, files.cert, files.key) == (files.ca, files.cert, files.key)


def test_no_certificate_is_no_tls() -> None:
    assert read_tls_files(None, None, None) is None


def test_certificate_without_its_key_is_refused(authority: Authority) -> None:
    files = authority.files("access")

    with pytest.raises(CertificateError, match="belong together"):
        read_tls_files(files.ca, files.cert, None)
    with pytest.raises(CertificateError, match="do not go together"):
        read_tls_files(files.ca, files.cert, authority.files("ingestion").key)
    with pytest.raises(CertificateError, match="cannot be read"):
        read_tls_files(files.ca, files.cert, files.key.with_name("absent"))

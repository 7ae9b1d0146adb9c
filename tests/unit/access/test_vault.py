from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from services.access.domain.client import ClientId
from services.access.domain.key import KeyId
from services.access.system import SystemRandomness
from services.access.vault import AesGcmCipher, KeyFileError, PepperedHash, fingerprint, read_key_file
from tests.unit.access.worlds import KEY_IDS

OWNER, OTHER = ClientId("client-a"), ClientId("client-b")


def a_cipher(master_key: bytes = b"m" * 32) -> AesGcmCipher:
    return AesGcmCipher(master_key, randomness=SystemRandomness())


def test_a_sealed_secret_opens_for_its_client_and_key() -> None:
    sealed = a_cipher().seal("the secret", client_id=OWNER, key_id=KEY_IDS[0])

    assert b"secret" not in sealed
    assert a_cipher().unseal(sealed, client_id=OWNER, key_id=KEY_IDS[0]) == "the secret"


def test_a_secret_sealed_twice_looks_different() -> None:
    cipher = a_cipher()

    assert cipher.seal("s", client_id=OWNER, key_id=KEY_IDS[0]) != cipher.seal("s", client_id=OWNER, key_id=KEY_IDS[0])


@pytest.mark.parametrize(
    ("cipher", "client_id", "key_id"),
    [
        (a_cipher(), OTHER, KEY_IDS[0]),
        (a_cipher(), OWNER, KEY_IDS[1]),
        (a_cipher(b"n" * 32), OWNER, KEY_IDS[0]),
    ],
)
def test_a_sealed_secret_opens_for_nobody_else(cipher: AesGcmCipher, client_id: ClientId, key_id: KeyId) -> None:
    sealed = a_cipher().seal("the secret", client_id=OWNER, key_id=KEY_IDS[0])

    with pytest.raises(InvalidTag):
        cipher.unseal(sealed, client_id=client_id, key_id=key_id)


def test_digests_depend_on_key_and_pepper() -> None:
    digests = {PepperedHash(pepper).digest(key) for pepper in (b"p" * 32, b"q" * 32) for key in ("a", "b")}

    assert {len(digest) for digest in digests} == {32}
    assert len(digests) == 4


def test_fingerprints_differ_by_key_and_purpose() -> None:
    assert len({fingerprint(key, purpose) for key in (b"a" * 32, b"b" * 32) for purpose in ("pepper", "x")}) == 4


def test_a_key_file_is_read_with_the_newline_behind_it(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ab" * 32 + "\n")

    assert read_key_file("SETTING", tmp_path / "key", exactly=32) == b"\xab" * 32


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("ab" * 31, "holds 31 bytes"),
        ("ab" * 33, "holds 33 bytes"),
        ("zz" * 32, "hex"),
        ("é" * 64, "hex"),
        ("", "0 bytes"),
    ],
)
def test_a_key_file_of_another_form_is_refused_without_showing_it(tmp_path: Path, content: str, problem: str) -> None:
    (tmp_path / "key").write_text(content)

    with pytest.raises(KeyFileError, match=problem) as refused:
        read_key_file("SETTING", tmp_path / "key", exactly=32)

    assert not content or content not in str(refused.value)


def test_a_missing_key_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"SETTING names .*/key, which cannot be read .* make one: python3"):
        read_key_file("SETTING", tmp_path / "key")

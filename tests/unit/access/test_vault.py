import pytest

from libs.sealing import PepperedHash, WrongKeyError
from services.access.domain.client import ClientId
from services.access.domain.key import KeyId
from services.access.system import SystemRandomness
from services.access.vault import AesGcmCipher, fingerprint
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

    with pytest.raises(WrongKeyError):
        cipher.unseal(sealed, client_id=client_id, key_id=key_id)


def test_digests_depend_on_key_and_pepper() -> None:
    digests = {PepperedHash(pepper).digest(key) for pepper in (b"p" * 32, b"q" * 32) for key in ("a", "b")}

    assert {len(digest) for digest in digests} == {32}
    assert len(digests) == 4


def test_fingerprints_differ_by_key_and_purpose() -> None:
    assert len({fingerprint(key, purpose) for key in (b"a" * 32, b"b" * 32) for purpose in ("pepper", "x")}) == 4

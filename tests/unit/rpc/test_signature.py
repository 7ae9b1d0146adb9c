"""Signatures as the import API's own samples make them."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.rpc.signature import SeenSignatures, is_signed, read_timestamp

BODY = b'[{"phone": "+79001234567", "tags": [], "additionalFields": {}}]'


def generate_signature(secret: str, timestamp: str, body: bytes) -> str:
    """Word for word the sample of import-api.txt, "HMAC Signature", "Python Example"."""
    message = f"{timestamp}\n".encode() + body
    signature = hmac.new(
        secret.encode(),
        message,
        hashlib.sha256
    ).hexdigest()  # fmt: skip
    return signature  # noqa: RET504 - the sample's own form


@pytest.mark.parametrize(
    "timestamp",
    [
        "2024-01-15T12:00:00Z",
        "2024-01-15T12:00:00.123Z",
        "2024-01-15T12:00:00+00:00",
        "2024-01-15T12:00:00.123456+00:00",
        "2024-01-15T12:00:00.123456789Z",
        "2024-01-15t12:00:00z",
        "2024-01-15T15:00:00+03:00",
    ],
)
def test_timestamps_of_the_samples_are_read(timestamp: str) -> None:
    at = read_timestamp(timestamp)

    assert at is not None
    assert abs(at - datetime(2024, 1, 15, 12, tzinfo=UTC)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "timestamp",
    ["", "2024-01-15", "2024-01-15T12:00:00", "20240115T120000Z", "1705320000", "2024-02-31T12:00:00Z",
     "2024-W03-1T12:00:00Z", "٢٠٢٤-01-15T12:00:00Z", "2024-01-15T12:00:00Z "],
)  # fmt: skip
def test_other_texts_are_no_timestamps(timestamp: str) -> None:
    assert read_timestamp(timestamp) is None


@given(at=st.datetimes(timezones=st.just(UTC)))
def test_isoformat_is_read_back(at: datetime) -> None:
    assert read_timestamp(at.isoformat()) == at


@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_signature_of_the_sample_is_valid_in_both_cases(spell: type[str]) -> None:
    timestamp = "2024-01-15T12:00:00+00:00"
    signature = spell(generate_signature("your-secret", timestamp, BODY))

    assert is_signed(secrets=[b"old-secret", b"your-secret"], timestamp=timestamp, body=BODY, signature=signature)


def test_known_vector() -> None:
    # printf '2024-01-15T12:00:00Z\n{}' | openssl dgst -sha256 -hmac your-secret
    signature = "dd5f8516b7e734bf0434d3eb7b3c78ad611a6c34b4a44eb96bf795cdbbf45cf6"

    assert is_signed(secrets=[b"your-secret"], timestamp="2024-01-15T12:00:00Z", body=b"{}", signature=signature)


@pytest.mark.parametrize("signature", ["", "00", "zz" * 32, "0" * 63, "0" * 65, "é" * 64])
def test_malformed_signature_is_not_valid(signature: str) -> None:
    assert not is_signed(secrets=[b"your-secret"], timestamp="2024-01-15T12:00:00Z", body=BODY, signature=signature)


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_signature_covers_every_byte(body: bytes, other: bytes) -> None:
    signature = generate_signature("s", "2024-01-15T12:00:00Z", body)

    valid = is_signed(secrets=[b"s"], timestamp="2024-01-15T12:00:00Z", body=other, signature=signature)

    assert valid == (body == other)


def test_no_secret_signs_nothing() -> None:
    assert not is_signed(secrets=[], timestamp="", body=b"", signature="0" * 64)


def _admit(seen: SeenSignatures, signature: str, key: str, now: float = 0.0, client: str = "a") -> bool:
    return seen.admit(client_id=client, signature=signature, idempotency_key=key, now=now)


def test_repeat_under_the_same_key_passes_and_any_other_does_not() -> None:
    seen = SeenSignatures()

    assert _admit(seen, "AB", "key")
    assert _admit(seen, "ab", "key")
    assert not _admit(seen, "ab", "other")
    assert not _admit(seen, "ab", "")
    assert _admit(seen, "ab", "other", client="b")


def test_repeat_without_a_key_is_a_replay() -> None:
    seen = SeenSignatures()

    assert _admit(seen, "ab", "")
    assert not _admit(seen, "ab", "")


def test_signature_is_forgotten_when_its_timestamp_cannot_be_valid() -> None:
    seen = SeenSignatures()
    _admit(seen, "ab", "key")

    assert not _admit(seen, "ab", "other", now=599)
    assert _admit(seen, "ab", "other", now=601)

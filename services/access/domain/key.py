"""API keys as text: ``cs_<key id>_<secret><checksum>``.

The key id is public and finds the key; all keys of a client begin it alike, so that the gateway can send them to one
replica, which knows the client's rate. The checksum tells a whole key from half a pasted one, and lets
a scanner of leaked text know a key from what merely looks like one.
"""

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass, field
from typing import NewType

KeyId = NewType("KeyId", str)

KEY_RANDOM_BYTES = 40
"""What `make_key` wants: 8 bytes for the id, of which 30 bits are used, and 32 for the secret."""
SECRET_RANDOM_BYTES = 32
FAMILY = 6
"""How many characters of a key's id all keys of its client share. The gateway's routes count on it."""
_OWN = 12 - FAMILY
NO_KEY_ID = KeyId("-" * 12)
"""Looked up in place of a malformed key's id, so that it costs what an unknown one costs. No key can have it."""

_SHAPE = re.compile(r"(cs_([a-z2-7]{12})_[A-Za-z0-9_-]{43})([0-9A-Za-z]{6})", re.ASCII)
_ID_SHAPE = re.compile(r"[a-z2-7]{12}", re.ASCII)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A whole key. Its text is shown once and never stored."""

    key_id: KeyId
    text: str = field(repr=False)


def make_key(random: bytes, *, client_id: str) -> ApiKey:
    """Write a key from exactly `KEY_RANDOM_BYTES` unpredictable bytes; ValueError for any other number."""
    if len(random) != KEY_RANDOM_BYTES:
        raise ValueError(f"a key is made of {KEY_RANDOM_BYTES} bytes")
    key_id = _family(client_id) + base64.b32encode(random[:8]).decode().lower()[:_OWN]
    body = f"cs_{key_id}_{_base64url(random[8:])}"
    return ApiKey(KeyId(key_id), body + checksum(body))


def _family(client_id: str) -> str:
    return base64.b32encode(hashlib.sha256(client_id.encode()).digest()).decode().lower()[:FAMILY]


def parse_key(text: str) -> KeyId | None:
    """Give the id that a well-formed key names; None when the text is no key. Whether there is such a key is open."""
    match = _SHAPE.fullmatch(text)
    if match is None or checksum(match[1]) != match[3]:
        return None
    return KeyId(match[2])


def parse_key_id(text: str) -> KeyId | None:
    """Give the text as a key id; None when no key can have it."""
    return KeyId(text) if _ID_SHAPE.fullmatch(text) else None


def checksum(body: str) -> str:
    """CRC-32 of the text before it, as six digits of base 62."""
    rest = zlib.crc32(body.encode())
    digits = ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = _DIGITS[digit] + digits
    return digits


def make_hmac_secret(random: bytes) -> str:
    """Write a signing secret from exactly `SECRET_RANDOM_BYTES` bytes; ValueError for any other number."""
    if len(random) != SECRET_RANDOM_BYTES:
        raise ValueError(f"a secret is made of {SECRET_RANDOM_BYTES} bytes")
    return _base64url(random)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")

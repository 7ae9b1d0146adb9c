"""Keyed hashes of contacts: whoever reads the database can guess nothing from them."""

import hmac
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from services.source_polling.domain.fingerprint import FIELDS, PART, WHOLE, delivered_fields, rest
from services.source_polling.domain.record import SourceRecord
from services.source_polling.domain.source import Source

# The order of a source's keys is no difference. Not MessagePack, which has no whole numbers beyond 64 bits.
_written = msgspec.json.Encoder(order="deterministic").encode


class Digests:
    """Hashes under a key of each source's own, made from the operator's master key."""

    def __init__(self, master_key: bytes) -> None:
        self._key = hmac.digest(master_key, b"contactsync.source_polling/fingerprint", "sha256")

    def __call__(self, source: Source) -> Callable[[SourceRecord], bytes]:
        """Give the hash for contacts of the source; with parts where changes may be echoes."""
        key = hmac.digest(self._key, source.source_id.encode(), "sha256")

        def whole(record: SourceRecord) -> bytes:
            return blake2b(_written(record), key=key, digest_size=WHOLE).digest()

        def in_parts(record: SourceRecord) -> bytes:
            given = delivered_fields(record)
            values = [*(given.get(name, "") for name in FIELDS), rest(record)]
            parts = (blake2b(_written(value), key=key, digest_size=PART).digest() for value in values)
            return whole(record) + b"".join(parts)

        return in_parts if source.kind.may_echo else whole

"""Keyed hashes of contacts: whoever reads the database can guess nothing from them."""

import hmac
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from services.source_polling.domain.fingerprint import FIELDS, PART, WHOLE, delivered_fields, rest
from services.source_polling.domain.record import SourceRecord
from services.source_polling.domain.source import Source

# As ImportContactsRequest.contacts_json of ingestion has a contact: what is hashed is what is imported. With
# another name or order here every contact of every source would be a change. The order of a source's keys is none. Not
# MessagePack, which has no whole numbers beyond 64 bits.
_written = msgspec.json.Encoder(order="deterministic").encode


class Digests:
    """Hashes under a key of each source's own, made from the operator's master key."""

    def __init__(self, master_key: bytes) -> None:
        self._key = hmac.digest(master_key, b"contactsync.source_polling/fingerprint", "sha256")

    def __call__(self, source: Source) -> Callable[[SourceRecord], tuple[bytes, bytes]]:
        """Give the hash for contacts of the source; with parts where changes may be echoes."""
        key = hmac.digest(self._key, source.source_id.encode(), "sha256")

        keyed = blake2b(key=key, digest_size=WHOLE)

        def whole(record: SourceRecord) -> tuple[bytes, bytes]:
            digest, text = keyed.copy(), _written(record)
            digest.update(text)
            return digest.digest(), text

        def in_parts(record: SourceRecord) -> tuple[bytes, bytes]:
            given = delivered_fields(record)
            values = [*(given.get(name, "") for name in FIELDS), rest(record)]
            parts = (blake2b(_written(value), key=key, digest_size=PART).digest() for value in values)
            digest, text = whole(record)
            return digest + b"".join(parts), text

        return in_parts if source.kind.may_echo else whole

"""New contact ids: UUIDs of version 7 (RFC 9562), so that their order is the order of creation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.directory.domain.contact import ContactId

ENTROPY_BYTES = 6
"""Random bytes that a mint takes."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = 1 << 14


@dataclass(frozen=True, slots=True)
class Mint:
    """The ids of one delivery: its time to a quarter of a microsecond, the contact's place in it, then chance.

    Ids of two deliveries at one microsecond differ by chance, 48 bits of it.
    """

    head: str
    tail: str

    def contact_id(self, place: int) -> ContactId:
        """The id of the contact at `place`, 0 to 16,383."""
        if not 0 <= place < _PLACES:
            raise ValueError(place)
        return ContactId(f"{self.head}{0x8000 | place:04x}{self.tail}")


def open_mint(now: datetime, entropy: bytes) -> Mint:
    """`entropy` is ENTROPY_BYTES random bytes."""
    micros = (now - _EPOCH) // timedelta(microseconds=1)
    millis, rest = divmod(micros, 1000)
    time = f"{millis:012x}"
    return Mint(f"{time[:8]}-{time[8:]}-7{rest * 4096 // 1000:03x}-", f"-{entropy.hex()}")

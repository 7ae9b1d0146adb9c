"""Phones as people write them."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class Phones(Protocol):
    """Reads phones."""

    async def read(self, phones: Sequence[str], *, country: str) -> Mapping[str, str]:
        """E.164 of each that is a phone number, by the text as it was given; the others are left out.

        `country` (ISO 3166-1 alpha-2) is that of national numbers. A number with its country code and no + is read too.
        """
        ...

"""Peers without a network, for tests and for trying things out."""

import re
from collections.abc import Mapping, Sequence

_CODES = {"IN": ("91", 10), "RU": ("7", 10), "US": ("1", 10)}
_SIGNS = re.compile(r"[ ().\-]")


class MemoryPhones:
    """Knows numbers of ten digits in India, Russia and the United States, and whatever has a + and 8 to 15 digits."""

    async def read(self, phones: Sequence[str], *, country: str) -> Mapping[str, str]:
        """As the port says, for those numbers."""
        read = {phone: _read(_SIGNS.sub("", phone.strip()), country) for phone in phones}
        return {phone: e164 for phone, e164 in read.items() if e164}


def _read(text: str, country: str) -> str:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return ""
    code, length = _CODES.get(country, ("", 0))
    if not text.startswith("+") and len(digits) == length:
        return f"+{code}{digits}"
    known = any(digits.startswith(code) and len(digits) == len(code) + size for code, size in _CODES.values())
    return f"+{digits}" if known or (text.startswith("+") and 8 <= len(digits) <= 15) else ""

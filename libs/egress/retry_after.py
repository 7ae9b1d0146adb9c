"""How long a server asks to be left alone."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,99}", re.ASCII)
_LONGEST_S = 999_999_999


def parse_retry_after(text: str, *, now: datetime) -> timedelta | None:
    """Read seconds or an HTTP date (RFC 9110, 10.2.3). None: it is neither; a time that is over is zero."""
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=min(int(text), _LONGEST_S))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(at - now, timedelta(0))

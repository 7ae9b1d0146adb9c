"""Sessions of operators. Nothing of them is kept here: the cookie holds the session, sealed under the master key."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from libs.sealing import Seal, WrongKeyError

IDLE = timedelta(hours=1)
"""A session ends when its operator has done nothing for so long."""
WHOLE = timedelta(hours=12)
"""A session ends so long after the key was shown, whatever its operator does."""
_RENEWED_AFTER = timedelta(minutes=5)
_OWNER = "session"


@dataclass(frozen=True, slots=True)
class Session:
    """An operator who has shown an admin key."""

    session_id: str
    key: str
    """As it was shown: the services judge it at every call."""
    csrf: str
    """What a form of this session holds."""
    began_at: datetime
    seen_at: datetime

    @property
    def ends_at(self) -> datetime:
        """When it ends if nothing more is done."""
        return min(self.seen_at + IDLE, self.began_at + WHOLE)

    def allows(self, csrf: str) -> bool:
        """Whether a form with this token is one of the session's own."""
        return compare_digest(self.csrf.encode(), csrf.encode())


class Sessions:
    """Opens and reads sessions.

    A session that was ended is remembered until it would have lapsed, in this process alone: a stolen cookie of it
    lives on at another replica until then.
    """

    def __init__(self, seal: Seal, *, random: Callable[[int], bytes], now: Callable[[], datetime]) -> None:
        """`random` gives that many unpredictable bytes."""
        self._seal = seal
        self._random = random
        self._now = now
        self._ended: dict[str, datetime] = {}

    def begin(self, key: str) -> Session:
        """A new session for whoever shows this key."""
        now = self._now()
        return Session(self._token(), key, self._token(), now, now)

    def renewed(self, session: Session) -> Session | None:
        """The session after a sign of life. None: it is too soon to say so."""
        now = self._now()
        return replace(session, seen_at=now) if now - session.seen_at >= _RENEWED_AFTER else None

    def end(self, session: Session) -> None:
        """Ends it, whoever holds its cookie."""
        now = self._now()
        self._ended = {each: at for each, at in self._ended.items() if at > now}
        self._ended[session.session_id] = session.began_at + WHOLE

    def write(self, session: Session) -> str:
        """The session as a cookie's value."""
        moments = (round(each.timestamp()) for each in (session.began_at, session.seen_at))
        text = json.dumps([session.session_id, session.key, session.csrf, *moments])
        return urlsafe_b64encode(self._seal.seal(text, _OWNER)).decode().rstrip("=")

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie. None: it was not made here, was ended, or has lapsed."""
        try:
            sealed = urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
            session_id, key, csrf, began, seen = json.loads(self._seal.unseal(sealed, _OWNER))
        except (WrongKeyError, ValueError):  # ValueError: not even Base64
            return None
        session = Session(session_id, key, csrf, _moment(began), _moment(seen))
        return session if self.is_live(session) else None

    def is_live(self, session: Session) -> bool:
        """Whether it was neither ended nor has lapsed."""
        return session.session_id not in self._ended and self._now() < session.ends_at

    def _token(self) -> str:
        return urlsafe_b64encode(self._random(18)).decode()


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)

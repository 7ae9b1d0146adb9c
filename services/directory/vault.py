"""Keys at work: tokens of contact sources, signed under a key that comes of the master key."""

import hmac
from datetime import datetime, timedelta
from typing import Final

import jwt

from services.directory.domain.credential import SourceToken, parse_credential_id

LIFETIME: Final = timedelta(hours=1)
_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "contact-source"
_PURPOSE: Final = b"contactsync.directory/source_token"


class JwtSourceTokens:
    """JSON Web Tokens (RFC 7519). The clock is the caller's, so the library looks at no time of its own."""

    def __init__(self, master_key: bytes) -> None:
        """`master_key` has exactly 32 bytes."""
        self._key = hmac.digest(master_key, _PURPOSE, "sha256")

    def issue(self, token: SourceToken, *, now: datetime) -> str:
        """Its text, which ends after an hour."""
        claims = {
            "sub": token.credential_id, "jti": token.token_id, "aud": _AUDIENCE, "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, *, now: datetime) -> SourceToken | None:
        """Which it is; None when it is none of ours, was changed, or has ended."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["sub", "exp", "iat"], "verify_exp": False, "verify_iat": False},
            )
        except (jwt.InvalidTokenError, ValueError):
            return None
        if claims["exp"] <= now.timestamp():
            return None
        return SourceToken(parse_credential_id(str(claims["sub"])), str(claims.get("jti", "")))

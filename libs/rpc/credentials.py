"""Credentials of workspaces: what a caller presents for each of the published APIs, and how it is refused."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import assert_never

from libs.rpc.caller import Credential
from libs.rpc.refusal import Refusal
from libs.rpc.rules import Rule
from libs.rpc.told import Envelope

_TOKEN = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +([!-~]{1,2048})")
_BASIC = re.compile(r"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]{1,2048}={0,2})")
_KEY = re.compile(r"[!-~]{1,512}")
_SHOWN = 128


def presented(credential: Credential, headers: Mapping[str, str]) -> str | None:
    """The token or the key; of Basic "id:secret". None: nothing that this credential could be."""
    given = headers.get("authorization", "")
    match credential:
        case Credential.CONNECT_KEY:
            key = headers.get("x-api-key", "")
            return key if _KEY.fullmatch(key) else None
        case Credential.SOURCE_BASIC:
            basic = _BASIC.fullmatch(given)
            return _read_basic(basic[1]) if basic else None
        case Credential.TELECRM_SYNC | Credential.TELECRM_ASYNC | Credential.SOURCE_TOKEN:
            token = _TOKEN.fullmatch(given)
            return token[1] if token else None
        case _:
            assert_never(credential)


def _read_basic(encoded: str) -> str | None:
    try:
        pair = b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    return pair if ":" in pair else None


def unauthorized(rule: Rule, enterprise_id: str) -> Refusal:
    """The one answer to whatever does not open the method, in the words of its API.

    `enterprise_id` is the one that the path names; only telecrm's answer shows it.
    """
    match rule.envelope:
        case Envelope.TELECRM:
            return Refusal(
                "UNAUTHORIZED",
                f"Enterprise with ID {enterprise_id[:_SHOWN]} not found or invalid access token. "
                "Please generate a new one from the Website/API integrations section of the telecrm app.",
            )
        case Envelope.CONNECT | Envelope.CONTACT_SOURCE:
            return Refusal("UNAUTHORIZED", "Unauthorized")
        case Envelope.IMPORT:
            return Refusal("UNAUTHORIZED", "The API key or the signature is missing or not valid.")
        case _:
            assert_never(rule.envelope)


def challenge(rule: Rule) -> str | None:
    """The value of WWW-Authenticate with a 401 (RFC 9110, 15.5.2). None: the API's key is no scheme of HTTP's."""
    match rule.envelope:
        case Envelope.IMPORT | Envelope.TELECRM:
            return "Bearer"
        case Envelope.CONTACT_SOURCE:
            scheme = "Basic" if rule.credential is Credential.SOURCE_BASIC else "Bearer"
            return f'{scheme} realm="contact-source"'
        case Envelope.CONNECT:
            return None
        case _:
            assert_never(rule.envelope)

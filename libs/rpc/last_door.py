"""The last door: what leaves a server as an error is a reason of the contract, or a neutral sentence."""

import traceback
from datetime import timedelta
from typing import Any

import structlog

from libs.rpc.failure import PeerRefused
from libs.rpc.reason import REASONS
from libs.rpc.refusal import Refusing
from libs.rpc.told import Told

_LOG = structlog.get_logger("libs.rpc")

NEUTRAL = Told(REASONS["INTERNAL_ERROR"], "The hub failed; the correlation id finds it in the log.")
"""What is told about an error that nobody meant for the caller."""

_UNIMPLEMENTED = Told(REASONS["UNIMPLEMENTED"], "The server does not have this method.")
_DEADLINE = Told(REASONS["DEADLINE_EXCEEDED"], "The deadline passed before the work was done.")
_FRAMES = 12


def tell(error: Exception, method: str) -> Told:
    """What the caller is told about an error, and one line of log about it.

    The text of an error that is not `Refusing` is neither told nor logged: it may hold contact data. Its type and its
    place are logged.
    """
    told = _told(error)
    if told is None:
        _LOG.error("call_failed", method=method, error_type=type(error).__qualname__, at=_place(error), **_facts(error))
        return NEUTRAL
    if told.wire.http_status >= 500:
        _LOG.warning("call_refused", method=method, reason=told.wire.reason, error_type=type(error).__qualname__)
    else:
        _LOG.info("call_refused", method=method, reason=told.wire.reason)
    return told


def _told(error: Exception) -> Told | None:
    """None: not meant for the caller."""
    if isinstance(error, PeerRefused):  # it has a reason, but that is between this service and its peer
        return None
    if isinstance(error, NotImplementedError):
        return _UNIMPLEMENTED
    if isinstance(error, TimeoutError):
        return _DEADLINE
    return _told_by(error) if isinstance(error, Refusing) else None


def _told_by(error: Refusing) -> Told | None:
    wire, message = REASONS.get(str(error.reason)), str(error.message)
    if wire is None:
        return None  # some other library's attribute of the same name
    retry_after, code = getattr(error, "retry_after", None), getattr(error, "code", "")
    return Told(
        wire,
        message,
        getattr(error, "violations", ()),
        getattr(error, "fields", None),
        retry_after if isinstance(retry_after, timedelta) else None,
        getattr(error, "total_errors", 0),
        code if isinstance(code, str) else "",
    )


def _place(error: Exception) -> list[str]:
    """Where it was raised, innermost last."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _facts(error: Exception) -> dict[str, Any]:
    return {"peer_reason": error.reason} if isinstance(error, PeerRefused) else {}

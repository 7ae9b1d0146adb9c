"""The last door: no text of an error that nobody meant for the caller."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from libs.rpc import PeerRefused, PeerUnavailable, Refusal, Violation
from libs.rpc.last_door import NEUTRAL, tell
from libs.rpc.reason import REASONS

SECRET = "+79001234567 s3cret"


@dataclass
class DomainError(Exception):
    """A domain's own error: it knows nothing of libs."""

    reason: str = "NOT_FOUND"
    message: str = "There is no such job."
    violations: tuple[Violation, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    retry_after: timedelta | None = None


class ReasonOfAnotherKind(Exception):
    reason = SECRET
    message = SECRET


class ReasonThatIsNoText(Exception):
    reason = 404
    message = SECRET


def _raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as raised:  # noqa: BLE001 - only to give it a traceback
        return raised


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(SECRET),
        ValueError(SECRET),
        KeyError(SECRET),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET),
        PeerRefused("NOT_FOUND", SECRET),
        ReasonOfAnotherKind(),
        ReasonThatIsNoText(),
        Refusal("NO_SUCH_REASON", SECRET),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_unknown_error_is_neutral_and_its_text_is_nowhere(error: Exception) -> None:
    with capture_logs() as logged:
        told = tell(_raised(error), "a.B/C")

    assert told is NEUTRAL
    assert SECRET not in str(told)
    assert SECRET not in str(logged)
    assert [(line["event"], line["log_level"], line["error_type"]) for line in logged] == [
        ("call_failed", "error", type(error).__qualname__)
    ]
    assert "test_last_door.py" in logged[0]["at"][-1]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Refusal("NOT_FOUND", "m"), "NOT_FOUND"),
        (DomainError(), "NOT_FOUND"),
        (NotImplementedError(SECRET), "UNIMPLEMENTED"),
        (TimeoutError(SECRET), "DEADLINE_EXCEEDED"),
        (PeerUnavailable("a.B/C", grpc.StatusCode.UNAVAILABLE), "SERVICE_UNAVAILABLE"),
    ],
)
def test_meant_error_is_told(error: Exception, reason: str) -> None:
    with capture_logs() as logged:
        told = tell(error, "a.B/C")

    assert told.wire is REASONS[reason]
    assert SECRET not in str(told)
    assert [line["event"] for line in logged] == ["call_refused"]


def test_everything_a_refusal_says_is_told() -> None:
    facts: dict[str, Any] = {
        "violations": (Violation("/0", "c", "m"),),
        "fields": {"a": "b"},
        "retry_after": timedelta(seconds=3),
    }

    for error in (Refusal("RATE_LIMIT_EXCEEDED", "slow", **facts), DomainError("RATE_LIMIT_EXCEEDED", "slow", **facts)):
        told = tell(error, "a.B/C")

        assert (told.message, told.violations, told.fields) == ("slow", facts["violations"], facts["fields"])
        assert told.retry_after_seconds == "3"

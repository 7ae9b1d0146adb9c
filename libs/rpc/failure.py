"""How calls to another service fail."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from libs.rpc.reason import DOMAIN
from libs.rpc.refusal import Violation

_DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class PeerRefused(Exception):
    """A peer answered and said no.

    To the caller of this service it is an INTERNAL_ERROR unless an adapter says more.
    """

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Sequence[Violation] = (),
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class PeerUnavailable(Exception):
    """A peer did not answer, or not in time; whether it did the work is not known.

    To the caller: SERVICE_UNAVAILABLE.
    """

    def __init__(self, method: str, code: grpc.StatusCode) -> None:
        super().__init__(method, code.name)
        self.method = method
        self.code = code
        self.reason = "SERVICE_UNAVAILABLE"
        self.message = "A part of the hub does not answer now; try again."
        self.retry_after = timedelta(seconds=1)


class CallFailed(Exception):
    """One try of a call."""

    def __init__(self, code: grpc.StatusCode, status: Status | None = None) -> None:
        """`status` is what the peer said. None: nothing that the hub's last door writes."""
        super().__init__(code.name)
        self.code = code
        self.status = status

    @classmethod
    def told_by(cls, error: grpc.aio.AioRpcError) -> "CallFailed":
        """What gRPC says became of it."""
        raw = next((value for key, value in error.trailing_metadata() or () if key == _DETAILS), None)
        try:
            return cls(error.code(), Status.FromString(raw) if isinstance(raw, bytes) else None)
        except DecodeError:
            return cls(error.code())

    @classmethod
    def with_status(cls, status: Status) -> "CallFailed":
        """What the peer answered on a stream."""
        return cls(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status)

    def of(self, method: str) -> PeerRefused | PeerUnavailable:
        """The same for whoever called the method."""
        refused = _refused(self.status) if self.status else None
        if refused is None or refused.reason in {"SERVICE_UNAVAILABLE", "DEADLINE_EXCEEDED"}:
            return PeerUnavailable(method, self.code)
        return refused


def _refused(status: Status) -> PeerRefused | None:
    info, retry, bad = ErrorInfo(), RetryInfo(), BadRequest()
    unpacked = [any(detail.Unpack(message) for detail in status.details) for message in (info, retry, bad)]
    if info.domain != DOMAIN:
        return None
    return PeerRefused(
        info.reason,
        status.message,
        violations=[Violation(v.field, v.reason, v.description) for v in bad.field_violations],
        fields=dict(info.metadata),
        retry_after=retry.retry_delay.ToTimedelta() if unpacked[1] else None,
    )

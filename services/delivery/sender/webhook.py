"""One POST per part, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from datetime import timedelta

from typing_extensions import override

from libs.egress import Outlet, Reply, Unanswered, parse_retry_after
from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.ports import Clock, Sender
from services.delivery.sender.api import beside
from services.delivery.sender.body import build_body, picked, sign
from services.delivery.sender.multistatus import RowWords, read_rows

MULTI_STATUS = 207


class WebhookSender(Sender):
    """Sends through the outlet, and so follows no redirect and reads at most 64 KiB of an answer."""

    def __init__(self, outlet: Outlet, *, clock: Clock) -> None:
        self._outlet = outlet
        self._clock = clock

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """POST once."""
        body = build_body(parcel)
        reply = await self._outlet.ask(
            "POST",
            parcel.destination.url,
            headers=write_headers(parcel, body),
            body=body,
            timeout=parcel.destination.retry.timeout,
            unshared=not parcel.destination.idempotent,
        )
        return self._answer(reply, parcel)

    def _answer(self, reply: Reply | Unanswered, parcel: Parcel) -> Answer:
        if isinstance(reply, Unanswered):
            return NoAnswer(message=reply.message, reached=reply.reached)
        success = parcel.destination.success
        if not success.takes_status(reply.status):
            return self._refused(reply, f"The receiver answered {reply.status}.")
        if not success.takes_body(reply.body):
            return self._refused(reply, f"The receiver answered {reply.status}, but not what it says for success.")
        words = _row_words(reply, parcel)
        if words is None and reply.status == MULTI_STATUS:
            return self._refused(reply, "The receiver answered 207, and its words about the rows cannot be read.")
        return self._taken(reply, parcel, words)

    def _refused(self, reply: Reply, message: str) -> Refused:
        return Refused(status=reply.status, message=message, retry_after=self._retry_after(reply), body=reply.body)

    def _taken(self, reply: Reply, parcel: Parcel, words: RowWords | None) -> Taken:
        if words is None:
            states = bytes([RowState.CREATED]) * parcel.count
            return Taken(states=states, status=reply.status, body=reply.body)
        pending = words.states.count(RowState.PENDING)
        return Taken(
            states=words.states,
            failures=words.failures,
            status=reply.status,
            retry_after=self._retry_after(reply) if pending else None,
            message=f"The receiver asks for {pending} of the contacts again." if pending else "",
            body=reply.body,
        )

    def _retry_after(self, reply: Reply) -> timedelta | None:
        asked = reply.headers.get("Retry-After")
        return None if asked is None else parse_retry_after(asked, now=self._clock.now())


def _row_words(reply: Reply, parcel: Parcel) -> RowWords | None:
    """Of an answer that is not whole nothing is believed: what it says of the other rows is missing."""
    if not reply.whole or not reply.body.lstrip().startswith((b"{", b"[") if reply.status == MULTI_STATUS else b"{"):
        return None
    return read_rows(reply.body, picked(parcel.chunk.contacts, parcel.ref.positions), count=parcel.count)


def write_headers(parcel: Parcel, body: bytes) -> dict[str, str]:
    """Return the hub's own headers, and beside them those that the destination asks for."""
    part_id = parcel.part_id
    at = int(parcel.started_at.timestamp())
    signatures = (
        sign(body, delivery_id=part_id, at=at, secret=secret)
        for secret in parcel.destination.signing_secrets(at=parcel.started_at)
    )
    headers = {
        "Content-Type": "application/json",
        "webhook-id": part_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
        "Idempotency-Key": part_id,
    }
    if parcel.ref.correlation_id:
        headers["X-Correlation-ID"] = parcel.ref.correlation_id
    return beside(parcel.destination.headers, headers)

"""One POST per chunk, as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from libs.egress import Outlet, Reply, Unanswered, parse_retry_after
from services.delivery.domain.answer import Answer, NoAnswer, Refused, Taken
from services.delivery.domain.delivery import Parcel, RowState
from services.delivery.ports import Clock, Sender
from services.delivery.sender.body import build_body, sign

_traces = TraceContextTextMapPropagator()


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
            headers=_headers(parcel, body),
            body=body,
            timeout=parcel.destination.retry.timeout,
        )
        return self._answer(reply, parcel)

    def _answer(self, reply: Reply | Unanswered, parcel: Parcel) -> Answer:
        if isinstance(reply, Unanswered):
            return NoAnswer(message=reply.message, reached=reply.reached)
        if 200 <= reply.status < 300:
            return Taken(states=bytes([RowState.CREATED]) * parcel.count, status=reply.status)
        asked = reply.headers.get("Retry-After")
        retry_after = None if asked is None else parse_retry_after(asked, now=self._clock.now())
        message = f"The receiver answered {reply.status}."
        return Refused(status=reply.status, message=message, retry_after=retry_after)


def _headers(parcel: Parcel, body: bytes) -> dict[str, str]:
    delivery_id = parcel.ref.key.delivery_id
    at = int(parcel.started_at.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(
            sign(body, delivery_id=delivery_id, at=at, secret=secret)
            for secret in parcel.destination.signing_secrets(at=parcel.started_at)
        ),
        "Idempotency-Key": delivery_id,
    }
    if parcel.ref.correlation_id:
        headers["X-Correlation-ID"] = parcel.ref.correlation_id
    # No baggage: it is the hub's own, and the correlation id has its header.
    _traces.inject(headers)
    return headers

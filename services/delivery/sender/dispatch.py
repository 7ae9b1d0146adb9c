"""Chooses the way by the destination's kind, in the trace and with the correlation id of the job's request."""

from typing import Any

import structlog
from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span
from typing_extensions import override

from libs.rpc import request_context
from libs.telemetry import mark_failed, span
from services.delivery.domain.answer import Answer, NoAnswer, Taken
from services.delivery.domain.delivery import Parcel, Ref
from services.delivery.domain.destination import DestinationKind
from services.delivery.ports import Lookup, Sender

_FAULT = NoAnswer(message="The hub failed while it was sending.", reached=True)

log = structlog.get_logger()


class Senders(Sender, Lookup):
    """One sender per kind. One that is a Lookup too is asked about lost answers."""

    def __init__(self, senders: dict[DestinationKind, Sender]) -> None:
        """A kind without a sender is refused as a fault of the hub."""
        self._senders = senders

    @override
    async def send(self, parcel: Parcel) -> Answer:
        """A fault of the sender itself is an answer too, so that it is counted, seen and in the end given up."""
        tick = trace.get_current_span()
        token = context.attach(_context_of(parcel.ref))
        try:
            with span("delivery.send", because_of=tick, **_attributes(parcel)) as current:
                answer = await self._try(parcel)
                _tell(answer, parcel, current)
                return answer
        finally:
            context.detach(token)

    @override
    async def look_up(self, parcel: Parcel) -> Answer | None:
        """Ask the sender of the kind, in the trace of the job's request."""
        lookup = self._senders[parcel.destination.kind]
        if not isinstance(lookup, Lookup):
            return None
        tick = trace.get_current_span()
        token = context.attach(_context_of(parcel.ref))
        try:
            with span("delivery.look_up", because_of=tick, **_attributes(parcel)):
                return await lookup.look_up(parcel)
        except Exception:  # what failed here says nothing of the rows: it is asked again
            log.exception("lookup_failed", delivery_id=parcel.ref.key.delivery_id)
            return NoAnswer(message="The hub failed while it was asking.", reached=False)
        finally:
            context.detach(token)

    async def _try(self, parcel: Parcel) -> Answer:
        try:
            return await self._senders[parcel.destination.kind].send(parcel)
        except Exception:  # whatever failed, the delivery must end in a state that somebody sees
            log.exception("sender_failed", delivery_id=parcel.ref.key.delivery_id)
            return _FAULT


def _context_of(ref: Ref) -> Context:
    """Not the current one: many requests' deliveries share a ticket."""
    return request_context(traceparent=ref.traceparent, correlation_id=ref.correlation_id)


def _attributes(parcel: Parcel) -> dict[str, Any]:
    key = parcel.ref.key
    return {
        "correlation_id": parcel.ref.correlation_id,
        "delivery_id": key.delivery_id,
        "chunk_id": key.chunk_id,
        "destination_id": key.destination_id,
        "destination_kind": parcel.destination.kind.value,
        "contacts": parcel.count,
    }


def _tell(answer: Answer, parcel: Parcel, current: Span) -> None:
    status = 0 if isinstance(answer, NoAnswer) else answer.status
    if isinstance(answer, Taken) and answer.message:
        log.info("delivery_sent_in_part", delivery_id=parcel.ref.key.delivery_id, status=status, why=answer.message)
        return
    if isinstance(answer, Taken):
        log.debug("delivery_sent", delivery_id=parcel.ref.key.delivery_id, status=status)
        return
    mark_failed(current, str(status) if status else "no_answer")
    log.warning("delivery_not_sent", delivery_id=parcel.ref.key.delivery_id, status=status, why=answer.message)

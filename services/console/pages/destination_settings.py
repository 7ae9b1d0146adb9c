"""A destination's settings, as a form."""

from datetime import timedelta

from contactsync.delivery.v1 import delivery_service_pb2 as wire
from contactsync.delivery.v1.destination_pb2 import RetrySchedule
from google.protobuf.duration_pb2 import Duration

from libs.rpc import PeerRefused
from services.console.pages.destinations import fare, look_at
from services.console.pages.forms import Changed, NotANumber, Objection, objection_of
from services.console.visit import Act, GoTo, Show, View, Visit


async def ask(visit: Visit) -> View:
    """The settings as they are."""
    return await _form(visit, None)


async def change(visit: Visit) -> GoTo | View:
    """Store what was changed; what was not stays as it is now."""
    destination_id = visit.path["destination_id"]
    try:
        request = _read(destination_id, Changed(visit.form))
        await visit.services.ask(visit.services.delivery.UpdateDestination, request)
    except NotANumber as error:
        return await _form(visit, Objection(visit.say("form.not_a_number"), [(error.name, "")]))
    except PeerRefused as refused:
        return await _form(visit, objection_of(refused))
    return GoTo(f"/destinations/{destination_id}", done="done.destination_changed")


def _read(destination_id: str, changed: Changed) -> wire.UpdateDestinationRequest:
    return wire.UpdateDestinationRequest(
        destination_id=destination_id,
        name=changed.text("name"),
        url=changed.text("url"),
        enterprise_id=changed.text("enterprise_id"),
        lead_status=changed.text("lead_status"),
        token=changed.text("token"),
        api_key=changed.text("api_key"),
        idempotent=changed.yes("idempotent"),
        chunk_size=changed.whole("chunk_size"),
        concurrency=changed.whole("concurrency"),
        rate=changed.number("rate"),
        retry=RetrySchedule(
            first_delay=_duration(changed.span("first_delay")),
            max_delay=_duration(changed.span("max_delay")),
            max_attempts=changed.whole("max_attempts") or 0,
            timeout=_duration(changed.span("timeout")),
        ),
    )


def _duration(span: timedelta | None) -> Duration | None:
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration


async def _form(visit: Visit, objection: Objection | None) -> View:
    """What was typed stays where it was not taken."""
    found = fare(await look_at(visit))
    destination = found.destination
    retry = destination.retry
    now = {
        "name": destination.name,
        "url": destination.url,
        "enterprise_id": destination.enterprise_id,
        "lead_status": destination.lead_status,
        "token": "",
        "api_key": "",
        "idempotent": "yes" if destination.idempotent else "no",
        "chunk_size": str(destination.chunk_size),
        "concurrency": str(destination.concurrency),
        "rate": f"{destination.rate:g}",
        "first_delay": f"{retry.first_delay.ToTimedelta().total_seconds():g}",
        "max_delay": f"{retry.max_delay.ToTimedelta().total_seconds():g}",
        "max_attempts": str(retry.max_attempts),
        "timeout": f"{retry.timeout.ToTimedelta().total_seconds():g}",
    }
    facts = {"fare": found, "now_is": now, "typed": {**now, **visit.form}, "objection": objection}
    return View("destinations/edit.html", facts, is_live=False)


PAGES = (
    Show("/destinations/{destination_id}/edit", ask),
    Act("/destinations/{destination_id}/edit", change),
)

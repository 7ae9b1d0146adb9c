"""Dead letters: rows that a destination did not take, and what an operator decides about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from contactsync.delivery.v1 import delivery_service_pb2 as wire
from contactsync.delivery.v1.dead_letter_pb2 import DeadLetter, DeadLetterFilter
from contactsync.ingestion.v1.ingestion_service_pb2 import GetJobRequest
from contactsync.ingestion.v1.job_pb2 import Job

from libs.rpc import PeerRefused
from services.console.pages.destinations import fare, look_at
from services.console.pages.forms import Objection, chosen, objection_of
from services.console.shown import moment
from services.console.visit import Act, GoTo, NotThere, Show, View, Visit

_A_PAGE = 50
_CERTAIN = ("failed", "unsupported")
_STATES = (*_CERTAIN, "unknown")
_MARKS = {"failed": "bad", "unsupported": "warn", "unknown": "warn"}
_FILTERS = ("state", "job", "saying")
"""Fields that narrow the list; `reason` is why something is closed."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter in one line. `row` names it in forms."""

    row: str
    letter: DeadLetter
    mark: str
    at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Try:
    """A try of its delivery."""

    attempt: wire.Attempt
    at: datetime | None


async def list_letters(visit: Visit) -> View:
    """Those that pass the filter of the query, the latest first."""
    return await _list(visit, visit.query, None)


async def show_letter(visit: Visit) -> View:
    """One, with the tries of its delivery and the import that it came with."""
    found = await visit.services.ask(visit.services.delivery.GetDeadLetter, _named(visit))
    facts = {
        "fare": fare(await look_at(visit)),
        "each": _letter(found.dead_letter),
        "tries": [Try(each, moment(each, "started_at")) for each in found.attempts],
        "job": await _job(visit, found.dead_letter.job_id),
    }
    return View("dead_letters/one.html", facts)


async def decide(visit: Visit) -> GoTo | View:
    """What the form's button says: send again, discard, or tell of unknown ones whether they had arrived."""
    form = visit.form
    if not (_rows(form) or form.get("of") == "all"):
        return await _list(visit, form, Objection(visit.say("dead_letters.none_chosen")))
    match form.get("do"):
        case "replay":
            return await _replay(visit)
        case "discard" | "arrived" | "lost" as verdict:
            return await _ask_why(visit, verdict)
        case _:
            raise NotThere


async def close(visit: Visit) -> GoTo | View:
    """Do what was asked for and confirmed, with its reason."""
    delivery, form = visit.services.delivery, visit.form
    destination_id, reason = visit.path["destination_id"], form.get("reason", "").strip()
    wanted = _filter(form)
    try:
        match form.get("do"):
            case "discard":
                discard = wire.DiscardDeadLettersRequest(destination_id=destination_id, filter=wanted, reason=reason)
                count = (await visit.services.ask(delivery.DiscardDeadLetters, discard)).discarded
            case "arrived" | "lost" as verdict:
                resolve = wire.ResolveUnknownRequest(
                    destination_id=destination_id, filter=wanted, delivered=verdict == "arrived", reason=reason
                )
                count = (await visit.services.ask(delivery.ResolveUnknown, resolve)).resolved
            case _:
                raise NotThere
    except PeerRefused as refused:
        return await _ask_why(visit, form["do"], objection_of(refused))
    return GoTo(f"/destinations/{destination_id}/dead-letters", done=f"done.{form['do']}", count=count)


async def _replay(visit: Visit) -> GoTo | View:
    destination_id = visit.path["destination_id"]
    wanted, repeat = _filter(visit.form), visit.form.get("repeat_unknown") == "yes"
    if not wanted.states:
        wanted.states.extend(_STATES if repeat else _CERTAIN)
    request = wire.StartReplayRequest(destination_id=destination_id, filter=wanted, repeat_unknown=repeat)
    try:
        started = await visit.services.ask(visit.services.delivery.StartReplay, request)
    except PeerRefused as refused:
        return await _list(visit, visit.form, objection_of(refused))
    if not started.replay.total:
        return await _list(visit, visit.form, Objection(visit.say("dead_letters.nothing_to_replay")))
    return GoTo(f"/destinations/{destination_id}", done="done.replay_started", count=started.replay.total)


async def _list(visit: Visit, wanted: Mapping[str, str], objection: Objection | None) -> View:
    token, is_closed = wanted.get("page", ""), wanted.get("closed", "") == "yes"
    request = wire.ListDeadLettersRequest(
        destination_id=visit.path["destination_id"],
        filter=_filter({name: wanted.get(name, "") for name in _FILTERS}),
        closed=is_closed,
        page_size=_A_PAGE,
        page_token=token,
    )
    found = await visit.services.ask(visit.services.delivery.ListDeadLetters, request)
    facts = {
        "fare": fare(await look_at(visit)),
        "letters": [_letter(each) for each in found.dead_letters],
        "token_of_page": token,
        "next": found.next_page_token,
        "states": _STATES,
        "wanted": {name: wanted.get(name, "") for name in _FILTERS},
        "is_closed": is_closed,
        "ticked": set(_rows(wanted)),
        "objection": objection,
    }
    return View("dead_letters/all.html", facts, is_live=False)


async def _ask_why(visit: Visit, verdict: str, objection: Objection | None = None) -> View:
    form = visit.form
    facts = {
        "fare": fare(await look_at(visit)),
        "verdict": verdict,
        "rows": _rows(form),
        "wanted": {name: form.get(name, "") for name in _FILTERS},
        "reason": form.get("reason", ""),
        "objection": objection,
    }
    return View("dead_letters/close.html", facts, is_live=False)


def _filter(form: Mapping[str, str]) -> DeadLetterFilter:
    """The rows that were ticked; where none were, all that pass the filter of the list."""
    if rows := _rows(form):
        return DeadLetterFilter(rows=rows)
    states = [form["state"]] if form.get("state") in _STATES else []
    return DeadLetterFilter(states=states, job_id=form.get("job", "").strip(), reason=form.get("saying", "").strip())


def _rows(form: Mapping[str, str]) -> list[str]:
    """What was ticked, unless all are meant."""
    return [] if form.get("of") == "all" else chosen(form, "row:")


def _named(visit: Visit) -> wire.GetDeadLetterRequest:
    position = visit.path["position"]
    if not position.isdecimal():
        raise NotThere
    path = visit.path
    return wire.GetDeadLetterRequest(
        destination_id=path["destination_id"], chunk_id=path["chunk_id"], position=int(position)
    )


async def _job(visit: Visit, job_id: str) -> Job | None:
    """None: it was forgotten meanwhile."""
    request = GetJobRequest(job_id=job_id)
    try:
        return (await visit.services.ask(visit.services.ingestion.GetJob, request)).job
    except PeerRefused as refused:
        if refused.reason == "NOT_FOUND":
            return None
        raise


def _letter(each: DeadLetter) -> Letter:
    row = f"{each.chunk_id}/{each.position}"
    return Letter(row, each, _MARKS[each.state], moment(each, "at"), moment(each, "closed_at"))


PAGES = (
    Show("/destinations/{destination_id}/dead-letters", list_letters),
    Act("/destinations/{destination_id}/dead-letters", decide),
    Act("/destinations/{destination_id}/dead-letters/close", close),
    Show("/destinations/{destination_id}/dead-letters/{chunk_id}/{position}", show_letter),
)

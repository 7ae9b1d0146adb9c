"""Destinations: how each fares, and the switches that an operator has."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from contactsync.delivery.v1 import delivery_service_pb2 as wire
from contactsync.delivery.v1.dead_letter_pb2 import Replay
from contactsync.delivery.v1.destination_pb2 import Destination, DestinationKind, FailedAttempt

from libs.rpc import PeerRefused
from services.console.shown import moment
from services.console.visit import Act, GoTo, Show, View, Visit

_REPLAYS_SHOWN = 5
_BREAKERS = {"open": ("open", "bad"), "half-open": ("half_open", "warn")}
_PATIENCE = timedelta(seconds=25)
"""For an answer of a destination that is tested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fare:
    """How a destination fares. `state` is a word of "destination.…", `mark` its colour."""

    destination: Destination
    kind: str
    state: str
    mark: str
    breaker: str
    waiting: int
    oldest_at: datetime | None
    next_at: datetime | None
    pace: float
    """Parts per second. 0: no bound."""
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Tries of one chunk that failed alike, one after the other: the latest, and how many they are."""

    chunk_id: str
    job_id: str
    at: datetime | None
    status: int
    message: str
    count: int


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """A replay, and how much of it is over, 0 to 100."""

    replay: Replay
    at: datetime | None
    percent: int


async def show_all(visit: Visit) -> View:
    """Every destination with its state and backlog."""
    return View("destinations/all.html", {"fares": await fares(visit)})


async def fares(visit: Visit) -> list[Fare]:
    """How every destination fares, by name."""
    delivery = visit.services.delivery
    listed = await visit.services.ask(delivery.ListDestinations, wire.ListDestinationsRequest())
    found = await asyncio.gather(*(_fare_of(visit, each.id) for each in listed.destinations))
    return [each for each in found if each is not None]


async def show_one(visit: Visit) -> View:
    """One destination: state, backlog, last errors, replays, settings."""
    answer = await look_at(visit)
    request = wire.ListReplaysRequest(destination_id=visit.path["destination_id"])
    replays = await visit.services.ask(visit.services.delivery.ListReplays, request)
    facts = {
        "fare": fare(answer),
        "failures": _failures(answer.health.last_errors),
        "replays": [_replay_line(each) for each in replays.replays[:_REPLAYS_SHOWN]],
        "created_at": moment(answer.destination, "created_at"),
        "old_secrets_until": moment(answer.destination, "old_secrets_until"),
    }
    return View("destinations/one.html", facts)


async def look_at(visit: Visit) -> wire.GetDestinationResponse:
    """The destination that the path names."""
    request = wire.GetDestinationRequest(destination_id=visit.path["destination_id"])
    return await visit.services.ask(visit.services.delivery.GetDestination, request)


async def ask_to_pause(visit: Visit) -> View:
    """Whether it is really to be paused, and why."""
    return View("destinations/pause.html", {"fare": fare(await look_at(visit))}, is_live=False)


async def pause(visit: Visit) -> GoTo:
    """Stop sending."""
    destination_id = visit.path["destination_id"]
    request = wire.PauseDestinationRequest(destination_id=destination_id, reason=visit.form.get("reason", "").strip())
    await visit.services.ask(visit.services.delivery.PauseDestination, request)
    return GoTo(f"/destinations/{destination_id}", done="done.destination_paused")


async def resume(visit: Visit) -> GoTo:
    """Send again."""
    destination_id = visit.path["destination_id"]
    request = wire.ResumeDestinationRequest(destination_id=destination_id)
    await visit.services.ask(visit.services.delivery.ResumeDestination, request)
    return GoTo(f"/destinations/{destination_id}", done="done.destination_resumed")


async def ask_to_test(visit: Visit) -> View:
    """What a test does."""
    return View("destinations/test.html", {"fare": fare(await look_at(visit)), "answer": None}, is_live=False)


async def test(visit: Visit) -> View:
    """Call it once, and show how it answered."""
    request = wire.TestDestinationRequest(destination_id=visit.path["destination_id"])
    answer = await visit.services.ask(visit.services.delivery.TestDestination, request, timeout=_PATIENCE)
    return View("destinations/test.html", {"fare": fare(await look_at(visit)), "answer": answer}, is_live=False)


def fare(answer: wire.GetDestinationResponse) -> Fare:
    """What is shown of it everywhere."""
    destination, health = answer.destination, answer.health
    state, mark = ("paused", "warn") if destination.paused else _BREAKERS.get(health.breaker, ("well", "good"))
    return Fare(
        destination=destination,
        kind=DestinationKind.Name(destination.kind).removeprefix("DESTINATION_KIND_").lower(),
        state=state,
        mark=mark,
        breaker=health.breaker.replace("-", "_"),
        waiting=answer.waiting,
        oldest_at=moment(answer, "oldest_waiting_at"),
        next_at=moment(health, "next_attempt_at"),
        pace=health.pace,
        dead_letters=answer.dead_letters,
    )


async def _fare_of(visit: Visit, destination_id: str) -> Fare | None:
    """None: it was deleted meanwhile."""
    request = wire.GetDestinationRequest(destination_id=destination_id)
    try:
        return fare(await visit.services.ask(visit.services.delivery.GetDestination, request))
    except PeerRefused as refused:
        if refused.reason == "NOT_FOUND":
            return None
        raise


def _failures(errors: Iterable[FailedAttempt]) -> list[Failure]:
    """Newest first."""
    alike = groupby(errors, key=lambda each: (each.chunk_id, each.response_status_code, each.error_message))
    return [_failure(list(several)) for _, several in alike]


def _failure(alike: Sequence[FailedAttempt]) -> Failure:
    last = alike[0]
    job_id = last.chunk_id.rpartition(".")[0]
    at = moment(last, "started_at")
    return Failure(last.chunk_id, job_id, at, last.response_status_code, last.error_message, len(alike))


def _replay_line(replay: Replay) -> ReplayLine:
    over = replay.done + replay.failed + replay.skipped
    return ReplayLine(replay, moment(replay, "created_at"), 100 * over // max(1, replay.total))


PAGES = (
    Show("/destinations", show_all),
    Show("/destinations/{destination_id}", show_one),
    Show("/destinations/{destination_id}/pause", ask_to_pause),
    Act("/destinations/{destination_id}/pause", pause),
    Act("/destinations/{destination_id}/resume", resume),
    Show("/destinations/{destination_id}/test", ask_to_test),
    Act("/destinations/{destination_id}/test", test),
)

"""The operator's side of the service, put together."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from libs.egress import EgressRules, Outlet
from libs.rpc import Peer
from libs.storage import Database
from services.delivery.handler.clearing import Clearance
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.echoes import EchoRecognizer
from services.delivery.handler.operate import (
    DeadLetterDesk,
    DeadLetterOffice,
    Office,
    Operator,
    ReplayDesk,
    ReplayOffice,
    TryOut,
    TryOutOffice,
)
from services.delivery.handler.watching import Watchdog
from services.delivery.peers.clients import AccessClients
from services.delivery.peers.redeliveries import IngestionRedeliveries
from services.delivery.peers.sources import PolledSources
from services.delivery.ports import Alarm, Chunks, Clock, Echoes
from services.delivery.sender.kinds import rehearsal
from services.delivery.sender.probe import DestinationProbe
from services.delivery.server import Desks
from services.delivery.store.dead_letters import SqlDeadLetters
from services.delivery.store.destinations import SqlDestinations
from services.delivery.store.replays import SqlReplays
from services.delivery.store.sql import SqlLedger
from services.delivery.upkeep import Upkeep, WakeUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """What the desks have in common."""

    database: Database
    ledger: SqlLedger
    destinations: SqlDestinations
    echoes: Echoes
    deliverer: Deliverer
    watchdog: Watchdog
    chunks: Chunks
    outlet: Outlet
    rules: EgressRules
    access: Peer
    source_polling: Peer
    ingestion: Peer
    directory: Peer
    alarm: Alarm
    clock: Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """The desks, and what goes on behind them."""

    desks: Desks
    upkeep: Upkeep


def furnish(place: Workplace, *, keep_answers: timedelta) -> Furnished:
    """Put the desks together."""
    wake_up, letters = WakeUp(), SqlDeadLetters(place.database)
    redeliveries = IngestionRedeliveries(place.ingestion)
    replays = _replays(place, letters, redeliveries, wake_up)
    desks = Desks(
        operator=_operator(place, letters),
        dead_letters=_dead_letters(place, letters, redeliveries),
        replays=replays,
        try_out=_try_out(place),
        echoes=EchoRecognizer(place.destinations, place.echoes),
        watchdog=place.watchdog,
    )
    upkeep = Upkeep(replays, errors=place.ledger, wake_up=wake_up, clock=place.clock, keep=keep_answers)
    return Furnished(desks=desks, upkeep=upkeep)


def _operator(place: Workplace, letters: SqlDeadLetters) -> Operator:
    ledger, destinations = place.ledger, place.destinations
    clearing = Clearance(backlog=ledger, haste=ledger, deliverer=place.deliverer, clock=place.clock)
    return Operator(
        Office(
            destinations=destinations,
            register=destinations,
            switch=destinations,
            backlog=ledger,
            attempts=ledger,
            errors=ledger,
            dead_letters=letters,
            vitals=place.deliverer,
            clients=AccessClients(place.access),
            sources=PolledSources(place.source_polling),
            clearing=clearing,
            guard=place.rules,
            alarm=place.alarm,
            clock=place.clock,
            random=secrets.token_bytes,
        )
    )


def _dead_letters(place: Workplace, letters: SqlDeadLetters, redeliveries: IngestionRedeliveries) -> DeadLetterDesk:
    return DeadLetterDesk(
        DeadLetterOffice(
            dead_letters=letters,
            destinations=place.destinations,
            attempts=place.ledger,
            redeliveries=redeliveries,
            clock=place.clock,
        )
    )


def _replays(
    place: Workplace, letters: SqlDeadLetters, redeliveries: IngestionRedeliveries, wake_up: WakeUp
) -> ReplayDesk:
    return ReplayDesk(
        ReplayOffice(
            replays=SqlReplays(place.database),
            dead_letters=letters,
            destinations=place.destinations,
            ledger=place.ledger,
            redeliveries=redeliveries,
            clock=place.clock,
            random=secrets.token_bytes,
            wake=wake_up,
        )
    )


def _try_out(place: Workplace) -> TryOut:
    return TryOut(
        TryOutOffice(
            destinations=place.destinations,
            chunks=place.chunks,
            probe=DestinationProbe(place.outlet, directory=place.directory, clock=place.clock),
            rehearsal=rehearsal(place.outlet, clock=place.clock),
            clock=place.clock,
            random=secrets.token_bytes,
        )
    )

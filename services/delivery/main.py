"""Runs delivery: `python -m services.delivery.main`."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from contactsync.delivery.v1 import delivery_service_pb2
from contactsync.delivery.v1.delivery_service_pb2_grpc import add_DeliveryServiceServicer_to_server

from libs.bus import Bus, JetStreamBus
from libs.egress import EgressRules, Outlet
from libs.process import read_key_file, run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.storage import REFUSALS, Database, make_database, open_database
from libs.telemetry import Telemetry, configure_telemetry
from libs.telemetry.metrics import telling
from services.delivery.consumer import CONSUMER, STREAM, TicketConsumer
from services.delivery.counting import CountedLedger, DestinationNumbers, Seen
from services.delivery.desks import Workplace, furnish
from services.delivery.domain.destination import directory as directory_destination
from services.delivery.handler.deliver import Deliverer
from services.delivery.handler.errands import Surroundings
from services.delivery.handler.gates import Gates
from services.delivery.handler.lanes import Lanes
from services.delivery.handler.watching import Lookout, Watchdog
from services.delivery.peers.chunks import IngestionChunks
from services.delivery.peers.outcomes import IngestionOutcomes
from services.delivery.peers.tickets import BusTickets
from services.delivery.scheduler import Bell, Scheduler, Watchman
from services.delivery.sender.kinds import all_kinds
from services.delivery.server import DeliveryServer
from services.delivery.settings import Settings
from services.delivery.store.destinations import SqlDestinations
from services.delivery.store.echoes import SqlEchoes
from services.delivery.store.sharing import SharedDestinations
from services.delivery.store.sql import SqlLedger
from services.delivery.system import SystemClock
from services.delivery.upkeep import Upkeep
from services.delivery.vault import Vault, WrongMasterKeyError, echo_digest

SERVICE = "delivery"
MIGRATIONS = Path(__file__).parent / "migrations"
GRACE = timedelta(seconds=8)
"""How long sends that run may go on after a stop was asked for. What is cut off comes again by its ticket."""

log = structlog.get_logger()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    refusals = (*REFUSALS, WrongMasterKeyError)
    run_process(
        SERVICE,
        Settings,
        serve,
        refusals=refusals,
        before=lambda settings: make_database(settings.database_url, migrations=MIGRATIONS),
    )


async def serve(settings: Settings) -> None:
    """Put everything together, run, and close it in reverse."""
    async with running(settings) as hub:
        await hub.run()


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Everything, put together and not yet started."""

    server: RpcServer
    deliverer: Deliverer
    scheduler: Scheduler
    watchman: Watchman
    upkeep: Upkeep
    bus: Bus

    async def run(self) -> None:
        """Serve and deliver until a stop is asked for. A fault of the work ends the server too, and is raised."""
        work = [
            asyncio.create_task(TicketConsumer(self.deliverer).run(self.bus), name="tickets"),
            asyncio.create_task(self.scheduler.run(), name="scheduler"),
            asyncio.create_task(self.watchman.run(), name="watchman"),
            asyncio.create_task(self.upkeep.run(), name="upkeep"),
        ]
        for task in work:
            task.add_done_callback(lambda _: self.server.stopping.set())
        finishing = asyncio.create_task(self._finish_sending(), name="finish sending")
        try:
            await self.server.run()
            await finishing
        finally:
            ended = [task for task in work if task.done()]
            for task in (*work, finishing):
                task.cancel()
            await asyncio.gather(*work, finishing, return_exceptions=True)
        for task in ended:
            task.result()

    async def _finish_sending(self) -> None:
        await self.server.stopping.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE.total_seconds()):
                await self.deliverer.close()
        await self.deliverer.abandon()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Give everything put together; it is closed behind."""
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    vault, answers = Vault(master_key), Vault(master_key, purpose="answer")
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS)
        stack.push_async_callback(database.close)
        ledger = SqlLedger(database, cipher=answers)
        echoes = SqlEchoes(database, digest=echo_digest(master_key), clock=SystemClock())
        bus = await JetStreamBus.open(settings.nats_url, name=SERVICE, replicas=settings.nats_replicas)
        stack.push_async_callback(bus.close)
        yield await _put_together(
            settings,
            stack,
            telemetry=telemetry,
            identity=identity,
            vault=vault,
            ledger=ledger,
            echoes=echoes,
            database=database,
            bus=bus,
        )


async def _put_together(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    telemetry: Telemetry,
    identity: Identity,
    vault: Vault,
    ledger: SqlLedger,
    echoes: SqlEchoes,
    database: Database,
    bus: JetStreamBus,
) -> Running:
    clock, rules = SystemClock(), EgressRules(settings.allowed_networks)
    bell, destinations = Bell(clock), SqlDestinations(database, cipher=vault, replicas=settings.replicas)
    await _prepare(destinations, clock=clock)
    outlet = Outlet.open(rules)
    stack.push_async_callback(outlet.close)
    ingestion, access, directory, source_polling = (
        _peer(service, address, identity, stack)
        for service, address in (
            ("ingestion", settings.ingestion_address),
            ("access", settings.access_address),
            ("directory", settings.directory_address),
            ("source_polling", settings.source_polling_address),
        )
    )
    senders = all_kinds(outlet, directory=directory, clock=clock, echoes=echoes)
    chunks = IngestionChunks(ingestion)
    counted = CountedLedger(ledger)
    surroundings = Surroundings(
        ledger=counted,
        backlog=ledger,
        destinations=SharedDestinations(destinations, replicas=settings.replicas),
        switch=destinations,
        chunks=chunks,
        sender=senders,
        lookup=senders,
        outcomes=IngestionOutcomes(ingestion),
        alarm=bell,
        clock=clock,
        chance=random.random,
    )
    gates = Gates(clock=clock)
    deliverer = Deliverer(surroundings, lanes=Lanes(total=settings.sends_in_flight), gates=gates)
    watchdog = Watchdog(
        Lookout(
            backlog=ledger,
            destinations=destinations,
            tickets=BusTickets(bus, stream=STREAM, consumer=CONSUMER),
            gates=gates,
            alarm=bell,
            clock=clock,
        )
    )
    workplace = Workplace(
        database=database,
        ledger=ledger,
        destinations=destinations,
        echoes=echoes,
        deliverer=deliverer,
        watchdog=watchdog,
        chunks=chunks,
        outlet=outlet,
        rules=rules,
        access=access,
        ingestion=ingestion,
        directory=directory,
        source_polling=source_polling,
        alarm=bell,
        clock=clock,
    )
    furnished = furnish(workplace, keep_answers=settings.keep_answers)
    desks = DeliveryServer(furnished.desks)
    server = _server(settings, desks, access, identity=identity, database=database, bus=bus)
    seen = Seen(destinations=destinations, backlog=ledger, gates=gates, watchdog=watchdog, clock=clock)
    parts = (telemetry, server, database, bus, outlet, counted, DestinationNumbers(seen))
    await stack.enter_async_context(telling(SERVICE, *(each.measures for each in parts), **settings.metrics()))
    return Running(
        server=server,
        deliverer=deliverer,
        scheduler=Scheduler(deliverer, bell=bell, clock=clock),
        watchman=Watchman(watchdog),
        upkeep=furnished.upkeep,
        bus=bus,
    )


async def _prepare(destinations: SqlDestinations, *, clock: SystemClock) -> None:
    """See to it that the contact book is a destination. Another master key is found out now, not at a delivery."""
    await destinations.put(directory_destination(now=clock.now()))
    await destinations.list()


def _server(
    settings: Settings,
    server: DeliveryServer,
    access: Peer,
    *,
    identity: Identity,
    database: Database,
    bus: JetStreamBus,
) -> RpcServer:
    async def ready() -> None:
        await database.check()
        await bus.check()

    descriptor = delivery_service_pb2.DESCRIPTOR.services_by_name["DeliveryService"]
    authenticate = remote_authenticator(access)
    return RpcServer(
        RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls),
        [Registration(descriptor, add_DeliveryServiceServicer_to_server, server)],
        door=Door(identity=identity, authenticate=authenticate, gateways=settings.gateway_networks()),
        ready=ready,
    )


def _peer(service: str, address: str, identity: Identity, stack: AsyncExitStack) -> Peer:
    peer = Peer(address, identity=identity, callee=identity.tls.to(service))
    stack.push_async_callback(peer.close)
    return peer


if __name__ == "__main__":
    main()

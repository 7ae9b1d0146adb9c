"""Runs source polling: `python -m services.source_polling.main`."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import stamina
from contactsync.source_polling.v1 import source_polling_service_pb2
from contactsync.source_polling.v1.source_polling_service_pb2_grpc import add_SourcePollingServiceServicer_to_server

from libs.egress import EgressRules, Outlet
from libs.process import read_key_file, run_process
from libs.rpc import Door, Identity, Peer, Registration, RpcServer, RpcSettings, Tls, remote_authenticator
from libs.storage import REFUSALS, Database, make_database, open_database
from libs.telemetry import configure_telemetry
from libs.telemetry.metrics import telling
from services.source_polling.almanac import Almanac
from services.source_polling.counting import CountedLedger, SourceNumbers
from services.source_polling.digests import Digests
from services.source_polling.fetcher.dispatch import HttpFetcher
from services.source_polling.fetcher.line import Surroundings
from services.source_polling.fetcher.patience import PatientFetcher
from services.source_polling.handler.delete import Deleter
from services.source_polling.handler.operate import Office, Operator
from services.source_polling.handler.poll import Desk, Poller
from services.source_polling.handler.read import Bench, Reader
from services.source_polling.handler.send import Post
from services.source_polling.peers.delivery import RpcEchoes
from services.source_polling.peers.ingestion import RpcImports
from services.source_polling.poller import Bell, Scheduler
from services.source_polling.ports.fetching import Fetcher
from services.source_polling.server import SourcePollingServer
from services.source_polling.settings import Settings
from services.source_polling.store.runs import SqlRuns
from services.source_polling.store.sources import MIGRATIONS, SqlSources
from services.source_polling.store.steps import SqlLedger
from services.source_polling.system import SystemClock
from services.source_polling.vault import Vault, WrongMasterKeyError

SERVICE = "source_polling"


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
    scheduler: Scheduler

    async def run(self) -> None:
        """Serve and poll until a stop is asked for. A fault of the work ends the server too, and is raised."""
        work = asyncio.create_task(self.scheduler.run(), name="scheduler")
        work.add_done_callback(lambda _: self.server.stopping.set())
        try:
            await self.server.run()
        finally:
            has_failed = work.done()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        if has_failed:
            work.result()


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What the parts share."""

    settings: Settings
    database: Database
    counted: CountedLedger
    master_key: bytes
    fetcher: Fetcher
    rules: EgressRules
    ingestion: Peer
    delivery: Peer
    bell: Bell
    clock: SystemClock


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Give everything put together; it is closed behind."""
    stamina.instrumentation.set_on_retry_hooks([])  # runs count their retries themselves
    identity = Identity(SERVICE, settings.read_service_key(), tls=Tls(settings.tls_files()))
    master_key = read_key_file("CONTACTSYNC_MASTER_KEY_FILE", settings.master_key_file, exactly=32)
    async with AsyncExitStack() as stack:
        telemetry = configure_telemetry(service=SERVICE, **settings.telemetry())
        stack.push_async_callback(telemetry.close)
        database = await open_database(settings.database_url, migrations=MIGRATIONS, long_units=True)
        stack.push_async_callback(database.close)
        rules, clock = EgressRules(settings.allowed_networks), SystemClock()
        outlet = Outlet.open(rules)
        stack.push_async_callback(outlet.close)
        world = _World(
            settings=settings,
            database=database,
            counted=CountedLedger(SqlLedger(database), clock=clock),
            master_key=master_key,
            fetcher=PatientFetcher(HttpFetcher(Surroundings(outlet=outlet, now=clock.now))),
            rules=rules,
            ingestion=_peer("ingestion", settings.ingestion_address, identity, stack),
            delivery=_peer("delivery", settings.delivery_address, identity, stack),
            bell=Bell(),
            clock=clock,
        )
        operator = _operator(world)
        await operator.list()  # another master key is found out now, not at the first run
        access = _peer("access", settings.access_address, identity, stack)
        server = _server(world, operator, identity, access)
        parts = (telemetry, server, database, outlet, world.counted, _numbers(world))
        told = (each.measures for each in parts)
        await stack.enter_async_context(telling(SERVICE, *told, **settings.metrics()))
        yield Running(server=server, scheduler=_scheduler(world))


def _numbers(world: _World) -> SourceNumbers:
    sources = SqlSources(world.database, cipher=Vault(world.master_key))
    return SourceNumbers(sources, SqlRuns(world.database), clock=world.clock)


def _operator(world: _World) -> Operator:
    sources, runs = SqlSources(world.database, cipher=Vault(world.master_key)), SqlRuns(world.database)
    return Operator(
        Office(
            sources=sources,
            edits=sources,
            runs=runs,
            queue=runs,
            fetcher=world.fetcher,
            guard=world.rules,
            cron=Almanac(),
            alarm=world.bell,
            clock=world.clock,
            random=secrets.token_bytes,
            chance=random.random,
        )
    )


def _scheduler(world: _World) -> Scheduler:
    sources, runs = SqlSources(world.database, cipher=Vault(world.master_key)), SqlRuns(world.database)
    ledger, imports = SqlLedger(world.database), RpcImports(world.ingestion)
    post = Post(ledger, imports)
    bench = Bench(
        fetcher=world.fetcher,
        ledger=ledger,
        condemned=ledger,
        imports=imports,
        echoes=RpcEchoes(world.delivery),
        post=post,
        fingerprints=Digests(world.master_key),
        clock=world.clock,
    )
    desk = Desk(
        sources=sources,
        plans=sources,
        queue=runs,
        leases=runs,
        ledger=world.counted,
        cron=Almanac(),
        clock=world.clock,
        random=secrets.token_bytes,
        chance=random.random,
    )
    deleter = Deleter(condemned=ledger, ledger=ledger, imports=imports, post=post, clock=world.clock)
    poller = Poller(desk, reader=Reader(bench), deleter=deleter, post=post, holder=world.settings.replica)
    return Scheduler(poller, bell=world.bell, clock=world.clock, at_once=world.settings.runs_at_once)


def _server(world: _World, operator: Operator, identity: Identity, access: Peer) -> RpcServer:
    settings = world.settings
    descriptor = source_polling_service_pb2.DESCRIPTOR.services_by_name["SourcePollingService"]
    servicer = SourcePollingServer(operator, clock=world.clock)
    return RpcServer(
        RpcSettings(listen=settings.listen, linger=settings.linger, tls=identity.tls),
        [Registration(descriptor, add_SourcePollingServiceServicer_to_server, servicer)],
        door=Door(identity=identity, authenticate=remote_authenticator(access), gateways=settings.gateway_networks()),
        ready=world.database.check,
    )


def _peer(service: str, address: str, identity: Identity, stack: AsyncExitStack) -> Peer:
    peer = Peer(address, identity=identity, callee=identity.tls.to(service))
    stack.push_async_callback(peer.close)
    return peer


if __name__ == "__main__":
    main()

"""Source polling as it runs, over a real source and a real database, into a hub that keeps what it is given."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contactsync.contact.v1.contact_pb2 import Contact, ContactType, LabeledEmail, LabeledPhone
from contactsync.ingestion.v1.ingestion_service_pb2 import ImportContactsRequest
from typing_extensions import override

from libs.egress import EgressRules, Outlet, parse_networks
from libs.rpc import Identity, Peer
from libs.storage import Database, open_database
from services.source_polling.almanac import Almanac
from services.source_polling.digests import Digests
from services.source_polling.domain.record import Skip
from services.source_polling.domain.run import Run, RunStatus
from services.source_polling.domain.source import Source
from services.source_polling.fetcher import HttpFetcher, PatientFetcher, Surroundings
from services.source_polling.handler.delete import Deleter
from services.source_polling.handler.operate import Office, Operator
from services.source_polling.handler.poll import Desk, Poller
from services.source_polling.handler.read import Bench, Reader
from services.source_polling.handler.send import Post
from services.source_polling.peers.ingestion import RpcImports
from services.source_polling.poller import Bell
from services.source_polling.ports.peers import Echoes, SeenChange
from services.source_polling.store.runs import SqlRuns
from services.source_polling.store.sources import MIGRATIONS, SqlSources
from services.source_polling.store.steps import SqlLedger
from services.source_polling.vault import Vault

KEY = b"k" * 32


class SteppingClock:
    """The machine's time, as far as a test has moved it."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self.now().timestamp()


@dataclass
class Landing:
    """What came into the hub. A parcel that comes again is the same parcel."""

    contacts: dict[str, Contact] = field(default_factory=dict)
    parcels: dict[str, bytes] = field(default_factory=dict)
    writes: int = 0
    deletes: int = 0

    def take(self, parcel: bytes) -> None:
        request = ImportContactsRequest.FromString(parcel)
        assert self.parcels.setdefault(request.idempotency_key, parcel) == parcel
        for contact in map(_contact, json.loads(request.contacts_json)):
            if contact.deleted:
                self.deletes += 1
                del self.contacts[contact.external_id]
            else:
                self.writes += 1
                self.contacts[contact.external_id] = contact


def _contact(given: Mapping[str, Any]) -> Contact:
    return Contact(
        phones=[LabeledPhone(number=each["value"], label=each["label"]) for each in given.get("phones", ())],
        emails=[LabeledEmail(email=each["value"], label=each["label"]) for each in given.get("emails", ())],
        type=ContactType.Value(f"CONTACT_TYPE_{(given.get('type') or 'unspecified').upper()}"),
        additional_fields_json=json.dumps(given["extra"], separators=(",", ":")).encode()
        if given.get("extra")
        else b"",
        **{name: given[name] for name in _SAME if name in given},
    )


_SAME = ("external_id", "first_name", "last_name", "company", "tags", "deleted")


class LandedImports(RpcImports):
    """Packs as ever, and lands in memory."""

    def __init__(self, nowhere: Peer, landing: Landing) -> None:
        super().__init__(nowhere)
        self._landing = landing

    @override
    async def accept(self, parcel: bytes) -> None:
        self._landing.take(parcel)


class NoEchoes(Echoes):
    @override
    async def recognize(self, url: str, changes: Sequence[SeenChange]) -> Sequence[bool]:
        return [False] * len(changes)


@dataclass
class Polling:
    operator: Operator
    poller: Poller
    landing: Landing
    clock: SteppingClock

    async def add(self, asked: Source) -> Source:
        return await self.operator.create(replace(asked, enabled=False))

    async def sync(self, place: Source, *, full: bool = False) -> Run:
        """Give the run when it has ended; the clock is moved while it waits."""
        run = await self.operator.sync(place.source_id, full=full)
        while True:
            await self.poller.go_on(run.run_id)
            run, _ = await self.operator.run(place.source_id, run.run_id)
            if run.status is not RunStatus.WAITING:
                return run
            assert run.due_at is not None
            self.clock.ahead += max(run.due_at - self.clock.now(), timedelta(0))

    async def skips(self, run: Run) -> Sequence[Skip]:
        return (await self.operator.run(run.source_id, run.run_id))[1]


@asynccontextmanager
async def polling(folder: Path, *, page_bytes: int = 2**20) -> AsyncIterator[Polling]:
    database = await open_database(f"sqlite:///{folder / 'polling.sqlite3'}", migrations=MIGRATIONS)
    rules, clock, landing = EgressRules(parse_networks("127.0.0.0/8")), SteppingClock(), Landing()
    outlet, nowhere = Outlet.open(rules), Peer("127.0.0.1:1", identity=Identity("source_polling", KEY))
    fetcher = PatientFetcher(HttpFetcher(Surroundings(outlet=outlet, now=clock.now, page_bytes=page_bytes)))
    imports = LandedImports(nowhere, landing)
    try:
        operator, poller = _staff(database, fetcher, imports, rules, clock)
        yield Polling(operator, poller, landing, clock)
    finally:
        await outlet.close()
        await nowhere.close()
        await database.close()


def _staff(
    database: Database, fetcher: PatientFetcher, imports: RpcImports, rules: EgressRules, clock: SteppingClock
) -> tuple[Operator, Poller]:
    sources, runs, ledger = SqlSources(database, cipher=Vault(KEY)), SqlRuns(database), SqlLedger(database)
    post, numbers = Post(ledger, imports), iter(range(1, 1000))
    random = lambda count: next(numbers).to_bytes(count, "big")  # noqa: E731 - ids that do not repeat
    office = Office(
        sources=sources,
        edits=sources,
        runs=runs,
        queue=runs,
        fetcher=fetcher,
        guard=rules,
        cron=Almanac(),
        alarm=Bell(),
        clock=clock,
        random=random,
        chance=lambda: 0.5,
    )
    bench = Bench(
        fetcher=fetcher,
        ledger=ledger,
        condemned=ledger,
        imports=imports,
        echoes=NoEchoes(),
        post=post,
        fingerprints=Digests(KEY),
        clock=clock,
    )
    desk = Desk(
        sources=sources,
        plans=sources,
        queue=runs,
        leases=runs,
        ledger=ledger,
        cron=Almanac(),
        clock=clock,
        random=random,
        chance=lambda: 0.5,
    )
    deleter = Deleter(condemned=ledger, ledger=ledger, imports=imports, post=post, clock=clock)
    return Operator(office), Poller(desk, reader=Reader(bench), deleter=deleter, post=post, holder="test")

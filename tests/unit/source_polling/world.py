"""Polling over memory: a source that a test writes page by page, a hub that remembers what it was given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec

from services.source_polling.almanac import Almanac
from services.source_polling.digests import Digests
from services.source_polling.domain.record import ExternalId, Labeled, Skip, SourceRecord
from services.source_polling.domain.run import Run
from services.source_polling.domain.source import Credentials, Source, SourceId, SourceKind
from services.source_polling.handler.delete import Deleter
from services.source_polling.handler.operate import Office, Operator
from services.source_polling.handler.poll import Desk, Poller
from services.source_polling.handler.read import Bench, Reader
from services.source_polling.handler.send import Post
from services.source_polling.ports.fetching import Deferred, Failed, Fetcher, Page, PageCursor, Session
from services.source_polling.ports.peers import Echoes, Imports, SeenChange
from services.source_polling.store.memory import MemoryStore

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
Answer = Page | Deferred | Failed


def record(number: int, *, first_name: str = "Anna", **given: object) -> SourceRecord:
    values: dict[str, object] = {"last_name": "Orlova", "phones": (Labeled(f"+7900000{number:04}", "mobile"),), **given}
    return SourceRecord(external_id=ExternalId(str(number)), first_name=first_name, **values)  # type: ignore[arg-type]  # a test gives what it likes


def page(
    *records: SourceRecord,
    deleted: Sequence[int] = (),
    skipped: Sequence[Skip] = (),
    next: str | None = None,  # noqa: A002 - as the port has it
    mark: str = "",
) -> Page:
    body = msgspec.msgpack.encode([records, deleted, mark])
    return Page(
        records=records,
        deleted=tuple(ExternalId(str(each)) for each in deleted),
        skipped=tuple(skipped),
        next=None if next is None else PageCursor(next),
        fingerprint=body,
    )


@dataclass
class ScriptedSource(Fetcher, Session):
    """Answers each cursor with what was written for it, in turn; the last answer stays."""

    pages: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    since: list[datetime | None] = field(default_factory=list)
    before_page: Callable[[str], None] = lambda _: None

    def write(self, *pages: Answer) -> None:
        """Pages "", "2", "3" …, each followed by the next; what is no page stands in its place."""
        self.pages = {}
        for place, each in enumerate(pages, start=1):
            follows = str(place + 1) if place < len(pages) else None
            chained = page_to(each, follows) if isinstance(each, Page) else each
            self.pages["" if place == 1 else str(place)] = [chained]

    async def open(self, source: Source, *, since: datetime | None) -> Session:
        self.since.append(since)
        return self

    async def page(self, cursor: PageCursor) -> Answer:
        self.asked.append(cursor)
        self.before_page(cursor)
        answers = self.pages[cursor]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def close(self) -> None:
        pass


def page_to(given: Page, follows: str | None) -> Page:

    return replace(given, next=given.next if given.next is not None or follows is None else PageCursor(follows))


@dataclass
class RememberingImports(Imports):
    """The hub: imports by key, once each. `faults` are raised before or after an import was taken."""

    taken: dict[str, bytes] = field(default_factory=dict)
    contacts: dict[str, str] = field(default_factory=dict)
    """First names by external id, of those that are there."""
    conflicts: list[str] = field(default_factory=list)
    before: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)

    def pack(
        self, source: Source, *, key: str, contacts: Sequence[bytes], tombstones: Sequence[ExternalId] = ()
    ) -> bytes:
        named = [msgspec.json.decode(each) for each in contacts]
        rows = [(each["external_id"], each["first_name"]) for each in named] + [(each, None) for each in tombstones]
        return msgspec.json.encode((key, rows))

    def contents(self, parcel: bytes) -> Sequence[ExternalId]:
        return [ExternalId(row[0]) for row in msgspec.json.decode(parcel)[1]]

    async def accept(self, parcel: bytes) -> None:
        if self.before:
            raise self.before.pop(0)
        key, rows = msgspec.json.decode(parcel)
        if self.taken.setdefault(key, parcel) != parcel:
            self.conflicts.append(key)
        for external_id, first_name in rows:
            if first_name is None:
                self.contacts.pop(external_id, None)
            else:
                self.contacts[external_id] = first_name
        if self.after:
            raise self.after.pop(0)


@dataclass
class ScriptedEchoes(Echoes):
    """Hears what it was told to hear."""

    heard: set[str] = field(default_factory=set)
    asked: list[SeenChange] = field(default_factory=list)

    async def recognize(self, url: str, changes: Sequence[SeenChange]) -> Sequence[bool]:
        self.asked += changes
        return [each.remote_id in self.heard for each in changes]


@dataclass
class World:
    """Two pollers may be made over one world."""

    source: ScriptedSource = field(default_factory=ScriptedSource)
    imports: RememberingImports = field(default_factory=RememberingImports)
    echoes: ScriptedEchoes = field(default_factory=ScriptedEchoes)
    store: MemoryStore = field(default_factory=MemoryStore)
    time: datetime = NOW
    objections: dict[str, str] = field(default_factory=dict)
    rung: int = 0
    numbers: "count[int]" = field(default_factory=count)

    def now(self) -> datetime:
        return self.time

    def ring(self) -> None:
        self.rung += 1

    async def objection(self, url: str) -> str | None:
        return self.objections.get(url)

    def random(self, size: int) -> bytes:
        return next(self.numbers).to_bytes(size, "big")

    def pass_by(self, span: timedelta) -> None:
        self.time += span

    @property
    def operator(self) -> Operator:
        return Operator(
            Office(
                sources=self.store,
                edits=self.store,
                runs=self.store,
                queue=self.store,
                fetcher=self.source,
                guard=self,
                cron=Almanac(),
                alarm=self,
                clock=self,
                random=self.random,
                chance=lambda: 0.5,
            )
        )

    def poller(self, holder: str = "one") -> Poller:
        post = Post(self.store, self.imports)
        bench = Bench(
            fetcher=self.source,
            ledger=self.store,
            condemned=self.store,
            imports=self.imports,
            echoes=self.echoes,
            post=post,
            fingerprints=Digests(bytes(32)),
            clock=self,
        )
        desk = Desk(
            sources=self.store,
            plans=self.store,
            queue=self.store,
            leases=self.store,
            ledger=self.store,
            cron=Almanac(),
            clock=self,
            random=self.random,
            chance=lambda: 0.5,
        )
        deleter = Deleter(condemned=self.store, ledger=self.store, imports=self.imports, post=post, clock=self)
        return Poller(desk, reader=Reader(bench), deleter=deleter, post=post, holder=holder)

    async def made(self, kind: SourceKind = SourceKind.CUSTOM, **given: object) -> Source:
        """A source that is there."""
        return await self.operator.create(a_source(kind, **given))

    async def run(self, source: Source, *, full: bool = False) -> Run:
        """A run of the source, as it is when nobody works on it any more."""
        run = await self.operator.sync(source.source_id, full=full)
        return await self.go_on(run)

    async def go_on(self, run: Run, *, holder: str = "one") -> Run:
        await self.poller(holder).go_on(run.run_id)
        return await self.seen(run)

    async def seen(self, run: Run) -> Run:
        found = await self.store.find_run(run.source_id, run.run_id)
        assert found is not None
        return found


def a_source(kind: SourceKind = SourceKind.CUSTOM, **given: object) -> Source:
    credentials = Credentials(client_id="i", client_secret="s", token="t", api_key="k", enterprise_id="e")
    values: dict[str, object] = {"credentials": credentials, "workspace_id": "w", "created_at": NOW, **given}
    return Source(source_id=SourceId(""), name=kind.value, kind=kind, url="https://crm.example", **values)  # type: ignore[arg-type]  # a test gives what it likes

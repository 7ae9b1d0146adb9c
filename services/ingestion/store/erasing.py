"""Erasures on SQLite or PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec

from libs.storage import Database, Row, Transaction, from_micros, to_micros
from services.ingestion.domain.erasure import BOOK, NOBODY, Erasure, ErasureId, Person, Place, Stage
from services.ingestion.domain.ids import ChunkId, ClientId, JobId, chunk_id
from services.ingestion.domain.outcome import Delivery, spare
from services.ingestion.ports.erasing import ContactText, Searched
from services.ingestion.store import erasing_statements as statements
from services.ingestion.store import rows
from services.ingestion.store.statements import LOCK_DELIVERIES_OF_JOB

PAGE_JOBS = 200
PAGE_BYTES = 4 << 20

_pack = msgspec.msgpack.Encoder().encode
_person = msgspec.msgpack.Decoder(Person)


class SqlErasures:
    """Erasures, and the work on what SqlStore keeps."""

    def __init__(self, database: Database, *, text: ContactText) -> None:
        self._database = database
        self._text = text

    async def begin(self, erasure: Erasure, *, limit: int) -> Erasure | None:
        """Keeps it, or gives the one that is open for the same client and person; None: `limit` are open."""

        async def unit(tx: Transaction) -> Erasure | None:
            known = [_erasure(row) for row in await tx.fetch(statements.UNFINISHED_OF, (erasure.client_id,))]
            if same := next((each for each in known if _is_same(each, erasure)), None):
                return same
            if len(known) >= limit:
                return None
            await tx.execute(statements.PUT, _row(erasure))
            return erasure

        return await self._database.write(unit)

    async def find(self, erasure_id: ErasureId) -> Erasure | None:
        """The erasure."""
        found = await self._database.fetch_one(statements.FIND, (erasure_id,))
        return _erasure(found) if found else None

    async def unfinished(self) -> Sequence[Erasure]:
        """Those that are not completed, oldest first."""
        return [_erasure(row) for row in await self._database.fetch(statements.UNFINISHED)]

    async def search(self, erasure: Erasure, *, now: datetime) -> Searched:
        """Erases the person's rows from the next jobs, each job in one unit with its count.

        Reads at most a page of jobs or some megabytes at a time, and writes only to jobs that have the person.
        """
        jobs = await self._next_jobs(erasure)
        if not jobs:
            return Searched(erasure, [], done=True)
        changed = await self._jobs_of(erasure.person, [job_id for _, job_id in jobs])
        for job_id in changed:
            await self._erase_from(erasure, job_id, now)
        await self._move_on(erasure, jobs[-1])
        kept = await self.find(erasure.erasure_id)
        return Searched(replace(kept or erasure, place=jobs[-1]), changed, done=False)

    async def _next_jobs(self, erasure: Erasure) -> Sequence[Place]:
        values: list[Any] = [PAGE_JOBS]
        values += [] if erasure.everywhere else [erasure.client_id]
        values += [to_micros(erasure.place[0]), erasure.place[1]] if erasure.place else []
        statement = statements.jobs_behind(client=not erasure.everywhere, place=erasure.place is not None)
        page: list[Place] = []
        size = 0
        for job_id, created_at, weight in await self._database.fetch(statement, tuple(values)):
            size += weight
            if page and size > PAGE_BYTES:
                break
            page.append((from_micros(created_at), JobId(job_id)))
        return page

    async def _jobs_of(self, person: Person, job_ids: Sequence[JobId]) -> Sequence[JobId]:
        """Those of the jobs that have the person's rows, in one order. Others go on between two chunks."""
        found: set[str] = set()
        for job_id, body in await self._database.fetch(statements.BODIES, (job_ids,)):
            await asyncio.sleep(0)
            if job_id not in found and self._text.find(body, person):
                found.add(job_id)
        for job_id, *row in await self._database.fetch(statements.REJECTED, (job_ids,)):
            if job_id not in found and self._is_rejected_row_of(tuple(row), person):
                found.add(job_id)
        return [JobId(job_id) for job_id in sorted(found)]

    def _is_rejected_row_of(self, row: Row, person: Person) -> bool:
        rejected = rows.rejected_row_of(row)
        return rejected.normalized_phone in person.phones or bool(
            self._text.find(b"[" + rejected.submitted + b"]", person)
        )

    async def _erase_from(self, erasure: Erasure, job_id: JobId, now: datetime) -> None:
        async def unit(tx: Transaction) -> None:
            deliveries = [rows.delivery_of_row(row) for row in await tx.fetch(LOCK_DELIVERIES_OF_JOB, (job_id,))]
            erased = await self._erase_chunks(tx, erasure, job_id, deliveries)
            erased += await self._erase_rejected(tx, erasure.person, job_id)
            if erased:
                touched = await tx.fetch(statements.TOUCH_JOB, (job_id, to_micros(now)))
                in_book = BOOK in msgspec.json.decode(touched[0][0])
                await tx.execute(statements.COUNT, (erasure.erasure_id, erased, int(in_book)))

        await self._database.write(unit)

    async def _erase_chunks(
        self, tx: Transaction, erasure: Erasure, job_id: JobId, deliveries: Sequence[Delivery]
    ) -> int:
        by_chunk: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in deliveries:
            by_chunk[delivery.index].append(delivery)
        erased = 0
        for index, body, details, gone in await tx.fetch(statements.CHUNKS, (job_id,)):
            if positions := self._text.find(body, erasure.person):
                erased += len(positions)
                blank = self._text.blank(body, positions)
                kept = rows.details_blob(rows.details_of(details).without(positions))
                all_gone = rows.numbers_blob(sorted({*rows.numbers_of(gone or b""), *positions}))
                await tx.execute(statements.REWRITE_CHUNK, (job_id, index, blank, kept, all_gone))
                await tx.execute(statements.AWAIT, (erasure.erasure_id, job_id, index))
                await _spare(tx, job_id, by_chunk[index], positions)
        return erased

    async def _erase_rejected(self, tx: Transaction, person: Person, job_id: JobId) -> int:
        erased = 0
        for _, *row in await tx.fetch(statements.REJECTED, ([job_id],)):
            if self._is_rejected_row_of(tuple(row), person):
                erased += 1
                await tx.execute(statements.BLANK_REJECTED, rows.blanked_row(job_id, tuple(row)))
        return erased

    async def _move_on(self, erasure: Erasure, place: Place) -> None:
        async def unit(tx: Transaction) -> None:
            await tx.execute(statements.MOVE_ON, (erasure.erasure_id, to_micros(place[0]), place[1]))

        await self._database.write(unit)

    async def is_settled(self, erasure: Erasure) -> bool:
        """No chunk that was not done when it was searched is still not done."""
        return await self._database.fetch_one(statements.STILL_AWAITED, (erasure.erasure_id,)) is None

    async def chunks(self, erasure: Erasure) -> Sequence[ChunkId]:
        """The chunks out of which it took rows, until it is completed."""
        found = await self._database.fetch(statements.AWAITED, (erasure.erasure_id,))
        return [chunk_id(JobId(job_id), index=index) for job_id, index in found]

    async def keep(self, erasure: Erasure) -> None:
        """Keeps its stage and times, and its count in the book; a completed one forgets its person."""
        kept = (
            erasure.erasure_id,
            _pack(erasure.person) if erasure.person != NOBODY else b"",
            erasure.stage.value,
            _micros(erasure.settles_until),
            _micros(erasure.completed_at),
            erasure.book_contacts,
        )

        async def unit(tx: Transaction) -> None:
            await tx.execute(statements.KEEP, kept)
            if erasure.stage is Stage.COMPLETED:
                await tx.execute(statements.FORGET_AWAITED, (erasure.erasure_id,))

        await self._database.write(unit)


async def _spare(tx: Transaction, job_id: JobId, deliveries: Sequence[Delivery], positions: Sequence[int]) -> None:
    for delivery in deliveries:
        after = spare(delivery, positions)
        reasons = rows.reasons_blob(after.reasons)
        await tx.execute(statements.SPARE, (job_id, after.index, after.destination_id, after.states, reasons))


def _is_same(known: Erasure, asked: Erasure) -> bool:
    return (known.person, known.everywhere) == (asked.person, asked.everywhere)


def _row(erasure: Erasure) -> Row:
    """In the order of the columns."""
    place = erasure.place
    return (
        erasure.erasure_id,
        erasure.client_id,
        int(erasure.everywhere),
        _pack(erasure.person),
        to_micros(erasure.created_at),
        erasure.stage.value,
        to_micros(place[0]) if place else None,
        place[1] if place else None,
        _micros(erasure.settles_until),
        erasure.jobs,
        erasure.rows,
        int(erasure.sent_to_book),
        erasure.book_contacts,
        _micros(erasure.completed_at),
    )


def _erasure(row: Row) -> Erasure:
    return Erasure(
        erasure_id=ErasureId(row[0]),
        client_id=ClientId(row[1]),
        everywhere=bool(row[2]),
        person=_person.decode(row[3]) if row[3] else NOBODY,
        created_at=from_micros(row[4]),
        stage=Stage(row[5]),
        place=None if row[6] is None else (from_micros(row[6]), JobId(row[7])),
        settles_until=_moment(row[8]),
        jobs=row[9],
        rows=row[10],
        sent_to_book=bool(row[11]),
        book_contacts=row[12],
        completed_at=_moment(row[13]),
    )


def _micros(moment: datetime | None) -> int | None:
    return to_micros(moment) if moment else None


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)

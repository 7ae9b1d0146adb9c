"""Accepts imports and delivers them."""

import asyncio
import contextlib
import hmac
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from tests.bench.monolith import store
from tests.bench.monolith.draft import Accepted, Refused, draft, normalize_all, read_body

CLAIMED_AT_ONCE = 16
LARGE = 200
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 300.0
RETRIED = {408, 425, 429, *range(500, 600)}
_OUTCOME = ("state", "status_code", "error_message", "due_at", "sent_at")

log = logging.getLogger(__name__)


class Monolith:
    """Takes imports and delivers them."""

    def __init__(self, database: store.Engines, sink: str) -> None:
        self._database = database
        self._sink = sink
        self._client = httpx.AsyncClient(
            timeout=30, trust_env=False, limits=httpx.Limits(max_connections=CLAIMED_AT_ONCE)
        )
        self._wake = asyncio.Event()

    async def accept(self, raw: bytes, *, key: str, correlation_id: str) -> bytes:
        contacts, fingerprint = read_body(raw)
        small = len(contacts) <= LARGE
        rows = normalize_all(contacts) if small else await asyncio.to_thread(normalize_all, contacts)
        accepted = draft(key, fingerprint, correlation_id, rows)
        body = await self._store(accepted)
        self._wake.set()
        return body

    async def _store(self, accepted: Accepted) -> bytes:
        async with self._database.writer.begin() as connection:
            put = await connection.execute(insert(store.keys).on_conflict_do_nothing(), accepted.key)
            if not put.rowcount:
                found = select(store.keys).where(store.keys.c.key == accepted.key["key"])
                return _replayed((await connection.execute(found)).one(), accepted.key["fingerprint"])
            await connection.execute(insert(store.jobs), accepted.job)
            await connection.execute(insert(store.rows), accepted.rows)
            await connection.execute(insert(store.chunks), accepted.chunks)
        body: bytes = accepted.key["body"]
        return body

    async def job(self, job_id: str) -> dict[str, Any]:
        async with self._database.reader.connect() as connection:
            found = (await connection.execute(select(store.jobs).where(store.jobs.c.job_id == job_id))).one_or_none()
            if found is None:
                raise Refused(404, "not_found", "There is no such job")
            columns = [column for column in store.chunks.c if column.name != "body"]
            listed = select(*columns).where(store.chunks.c.job_id == job_id).order_by(store.chunks.c.chunk_index)
            parts = [dict(part) for part in (await connection.execute(listed)).mappings()]
        left = sum(part["state"] in {"pending", "sending"} for part in parts)
        return {**found._asdict(), "status": "processing" if left else "completed", "chunks": parts}

    async def deliver_forever(self) -> None:
        await self._forget_claims()
        while True:
            try:
                await self._deliver_due()
            except Exception:
                log.exception("a round of deliveries failed")
                await asyncio.sleep(FIRST_DELAY_S)

    async def _deliver_due(self) -> None:
        self._wake.clear()
        if claimed := await self._claim():
            await self._record(await asyncio.gather(*(self._post(chunk) for chunk in claimed)))
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=FIRST_DELAY_S)

    async def _forget_claims(self) -> None:
        """What was being sent when the process died is sent again."""
        async with self._database.writer.begin() as connection:
            await connection.execute(
                update(store.chunks).where(store.chunks.c.state == "sending").values(state="pending")
            )

    async def _claim(self) -> Sequence[Any]:
        """Counts the attempt before it is made, so that a chunk that kills the process is seen to have been tried."""
        chunk = store.chunks.c
        due = select(chunk.id).where(chunk.state == "pending", chunk.due_at <= time.time())
        claim = (
            update(store.chunks)
            .where(chunk.id.in_(due.order_by(chunk.due_at).limit(CLAIMED_AT_ONCE)))
            .values(state="sending", attempt_count=chunk.attempt_count + 1)
            .returning(
                chunk.id,
                chunk.job_id,
                chunk.chunk_index,
                chunk.attempt_count,
                chunk.body,
                chunk.first_row,
                chunk.last_row,
            )
        )
        async with self._database.writer.begin() as connection:
            return (await connection.execute(claim)).all()

    async def _post(self, chunk: Any) -> dict[str, Any]:
        delivery_id = f"{chunk.job_id}.{chunk.chunk_index}"
        signature = hmac.digest(b"secret", chunk.body, "sha256").hex()
        headers = {"Content-Type": "application/json", "webhook-id": delivery_id, "webhook-signature": signature}
        try:
            status = (await self._client.post(self._sink, content=chunk.body, headers=headers)).status_code
            message = None if status < 300 else f"The receiver answered {status}."
        except httpx.HTTPError as error:
            status, message = 0, type(error).__name__
        again = status == 0 or status in RETRIED
        delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**chunk.attempt_count)
        return {
            "of_chunk": chunk.id,
            "of_job": chunk.job_id,
            "first": chunk.first_row,
            "last": chunk.last_row,
            "new_state": "sent" if message is None else "pending" if again else "failed",
            "new_status_code": status or None,
            "new_error_message": message,
            "new_due_at": time.time() + delay,
            "new_sent_at": None if message else datetime.now(UTC).isoformat(),
        }

    async def _record(self, outcomes: Sequence[dict[str, Any]]) -> None:
        chunk, row = store.chunks.c, store.rows.c
        ended = update(store.chunks).where(chunk.id == bindparam("of_chunk"))
        of_chunk = (row.job_id == bindparam("of_job"), row.row.between(bindparam("first"), bindparam("last")))
        told = update(store.rows).where(*of_chunk, row.phone.is_not(None)).values(state=bindparam("new_state"))
        async with self._database.writer.begin() as connection:
            await connection.execute(ended.values({name: bindparam(f"new_{name}") for name in _OUTCOME}), outcomes)
            await connection.execute(told, outcomes)


def _replayed(stored: Any, fingerprint: bytes) -> bytes:
    if stored.fingerprint != fingerprint:
        message = "Idempotency key reused with different payload"
        raise Refused(422, "idempotency_conflict", message, existing_created_at=stored.created_at)
    body: bytes = stored.body
    return body

"""The hub in one process beside its model: each rule does one thing to both, and the invariants compare them."""

import asyncio
import contextlib
import json
from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from services.access.domain.errors import TwoKeysLiveError
from services.delivery.handler.deliver import InterruptedDeliveriesError
from services.idempotency import domain as keys
from services.ingestion.domain import errors
from services.ingestion.domain.status import JobStatus, destination_counts, job_status
from services.ingestion.ports.store import JobQuery
from tests.contract.composed import Composed, Crash
from tests.contract.model import ANSWERS, AT_ONCE, BODIES, ROWS, ApiKey, Asked, Shop, Used
from tests.unit.delivery.world import HOOK

T = TypeVar("T")


class Machine(RuleBasedStateMachine):
    """One hub, two clients, and the model of both."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.hub = Composed()
        self.shops: list[Shop] = []
        self.ended: dict[str, bytes] = {}
        self.posted: list[tuple[Shop, str, str]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.hub.keys.crash, self.hub.outcomes.down = "", False
        try:
            self.settle()
        finally:
            self.runner.close()

    @property
    def now(self) -> datetime:
        return self.hub.ingestion.now

    @initialize()
    def begin(self) -> None:
        self.run(self.hub.open())
        for _ in range(2):
            client_id, key = self.run(self.hub.make_client())
            self.shops.append(Shop(client_id, [ApiKey(key)]))

    def caller(self, shop: Shop, place: int) -> Any:
        """The client of one of the shop's keys; None, as it must be, when that key has ended."""
        key = shop.keys[place % len(shop.keys)]
        client = self.run(self.hub.caller(key.text))
        live = shop.enabled and (key.ends_at is None or self.now < key.ends_at)
        assert (client is not None) is live
        assert client is None or client.client_id == shop.client_id
        return client

    @rule(
        shop=st.integers(0, 1),
        place=st.integers(0, 3),
        key=st.sampled_from("ab"),
        body=st.sampled_from(list(BODIES)),
        crash=st.sampled_from(["", "", "", "begun", "stored", "completed"]),
        answer=AT_ONCE,
    )
    def post(self, shop: int, place: int, *, key: str, body: str, crash: str, answer: str) -> None:
        asker = self.shops[shop]
        if self.caller(asker, place) is not None:
            self.posted.append((asker, key, body))
            self.ask(asker, place, key, body, crash)
            self.deliver_at_once(answer)

    @precondition(lambda self: self.posted)
    @rule(
        back=st.sampled_from([0, 0, 0, 1, 2]), spell=st.booleans(), crash=st.sampled_from(["", "", "begun", "stored"])
    )
    def post_again(self, back: int, spell: bool, crash: str) -> None:
        """What a client does that got no answer."""
        asker, key, body = self.posted[-1 - back % len(self.posted)]
        again = {"one": "one, respelled", "one, respelled": "one"}.get(body, body) if spell else body
        self.ask(asker, len(asker.keys) - 1, key, again, crash)

    def ask(self, shop: Shop, place: int, key: str, body: str, crash: str) -> None:
        client = self.caller(shop, place)
        assert client is not None
        self.hub.keys.crash = crash
        told: object
        try:
            told = self.run(self.hub.post(client, BODIES[body], key=key)).body
        except (errors.Refused, Crash) as refused:
            told = refused
        finally:
            self.hub.keys.crash = ""
        shop.judge(Asked(key, body, self.now, crash, lambda: self.stored(shop)), told)

    @rule(
        shop=st.integers(0, 1),
        place=st.integers(0, 3),
        key=st.sampled_from("ab"),
        body=st.sampled_from(["one", "three"]),
    )
    def rehearse(self, shop: int, place: int, key: str, body: str) -> None:
        client = self.caller(self.shops[shop], place)
        if client is None:
            return
        drafted = self.run(self._rehearse(client, key, BODIES[body]))
        assert (drafted.job.total, drafted.job.valid) == ROWS[body]

    async def _rehearse(self, client: Any, key: str, body: bytes) -> Any:
        world = self.hub.ingestion
        return await world.imports.rehearse(await world.asked(body, key=key, by=client))

    @precondition(lambda self: self.hub.tickets())
    @rule(
        place=st.sampled_from([0, 0, 0, 1, 2, 3, 9]),
        answer=st.sampled_from(list(ANSWERS)),
        down=st.sampled_from([False, False, True]),
    )
    def deliver(self, place: int, answer: str, down: bool) -> None:
        tickets = self.hub.tickets()
        ticket = tickets[-1 - place % len(tickets)]
        job_id, _, _ = ticket.chunk_id.rpartition(".")
        payload = next(shop.jobs[job_id] for shop in self.shops if job_id in shop.jobs)
        size = len(ticket.positions) or ROWS[payload][1]
        self.hub.receiver.answers = [ANSWERS[answer](size)]
        self.hub.outcomes.down = down
        with contextlib.suppress(ConnectionError, InterruptedDeliveriesError):
            self.run(self.hub.deliver(ticket))
        self.hub.receiver.answers, self.hub.outcomes.down = [], False

    def deliver_at_once(self, answer: str) -> None:
        if answer and self.hub.tickets():
            self.deliver(0, answer, down=False)

    @rule()
    def wake(self) -> None:
        """What is due is tried, and what delivery was never told of is told again."""
        self.run(self.hub.delivery.deliverer.wake(HOOK))
        for ticket in self.run(self.hub.ingestion.store.overdue(now=self.now, limit=100)):
            self.run(self.hub.deliver(ticket))

    @rule(shop=st.integers(0, 1), place=st.integers(0, 9), answer=AT_ONCE)
    def retry(self, shop: int, place: int, answer: str) -> None:
        """Of the jobs that can be retried, if there is any."""
        owner, other = self.shops[shop], self.shops[1 - shop]
        shown = {job_id: json.loads(self.shown(owner, job_id)) for job_id in owner.jobs}
        jobs = [job_id for job_id, job in shown.items() if job["completed_at"] and job["failed_contacts"]] or [*shown]
        if jobs:
            job_id = jobs[place % len(jobs)]
            with pytest.raises(errors.JobNotFound):
                self.run(self._retry(job_id, viewer=other.client_id))
            self.retry_twice(owner, job_id, shown[job_id])
            self.deliver_at_once(answer)

    def retry_twice(self, owner: Shop, job_id: str, before: Any) -> None:
        record, retried = self.run(self._retry(job_id, viewer=owner.client_id))
        tickets = len(self.hub.tickets())
        assert self.run(self._retry(job_id, viewer=owner.client_id)) == (record, retried)
        assert len(self.hub.tickets()) == tickets
        if before["completed_at"]:
            assert retried <= before["failed_contacts"]
            self.ended.pop(job_id, None)

    async def _retry(self, job_id: Any, viewer: Any) -> Any:
        return await self.hub.ingestion.retries.retry(job_id, viewer=viewer)

    @rule(seconds=st.sampled_from([1, 9, 10, 11, 60, 3600, 3 * 86_400]), purge=st.booleans())
    def wait(self, seconds: int, *, purge: bool) -> None:
        self.hub.later(timedelta(seconds=seconds))
        if purge:
            self.run(self.hub.idempotency.forget_expired())

    @rule(shop=st.integers(0, 1), change=st.sampled_from(["rotate", "rotate at once", "revoke", "disable"]))
    def change_keys(self, shop: int, change: str) -> None:
        match change:
            case "revoke":
                self.revoke(shop)
            case "disable":
                self.disable_for_a_while(shop)
            case _:
                self.rotate(shop, 1 if change == "rotate" else 0)

    def rotate(self, shop: int, hours: int) -> None:
        client, ends_at = self.shops[shop], self.now + timedelta(hours=hours)
        live = [key for key in client.keys if key.ends_at is None or self.now < key.ends_at]
        try:
            made = self.run(self.hub.office.rotate(client.client_id, overlap=timedelta(hours=hours)))
        except TwoKeysLiveError:
            assert len(live) == 2
            return
        assert len(live) < 2
        for key in live:
            key.ends_at = ends_at
        client.keys.append(ApiKey(made.api_key))

    def revoke(self, shop: int) -> None:
        client = self.shops[shop]
        self.run(self.hub.office.revoke(client.client_id, key_id=""))
        for place, key in enumerate(client.keys):
            key.ends_at = min(key.ends_at or self.now, self.now)
            assert self.caller(client, place) is None
        self.rotate(shop, 0)

    def disable_for_a_while(self, shop: int) -> None:
        client = self.shops[shop]
        for client.enabled in (False, True):
            self.run(self.hub.office.update(client.client_id, settings=None, enabled=client.enabled))
            for place in range(len(client.keys)):
                self.caller(client, place)

    def stored(self, shop: Shop) -> list[str]:
        query = JobQuery(limit=1000, client_id=shop.client_id)  # type: ignore[arg-type]  # a NewType of it
        return [str(record.job.job_id) for record in self.run(self.hub.ingestion.store.newest(query))]

    def shown(self, shop: Shop, job_id: str) -> bytes:
        client: Any = shop
        return self.run(self.hub.show(client, job_id))

    @invariant()
    def every_job_is_known_and_adds_up(self) -> None:
        for shop, other in zip(self.shops, reversed(self.shops), strict=True):
            assert sorted(self.stored(shop)) == sorted(shop.jobs)
            for job_id, payload in shop.jobs.items():
                self.check(shop, job_id, payload)
                with pytest.raises(errors.JobNotFound):
                    self.shown(other, job_id)

    def check(self, shop: Shop, job_id: Any, payload: str) -> None:
        body = self.shown(shop, job_id)
        job, (total, valid) = json.loads(body), ROWS[payload]
        record = self.run(self.hub.ingestion.follow.get(job_id, viewer=None))
        assert [sum(counts.values()) for counts in destination_counts(record).values()] == [total]
        assert (job["total_contacts"], job["valid_contacts"], job["invalid_contacts"]) == (total, valid, total - valid)
        chunks = job["chunks_completed"] + job["chunks_failed"] + job["chunks_pending"]
        assert (job["chunks_total"], chunks) == (len(job["chunks"]), len(job["chunks"]))
        done = job_status(record.deliveries) >= JobStatus.COMPLETED
        assert (job["completed_at"] is not None) is done
        counted = job["sent_contacts"] + job["failed_contacts"]
        assert counted == valid if done else counted <= valid
        if done:
            assert self.ended.setdefault(job_id, body) == body

    @invariant()
    def nothing_is_sent_that_was_not_imported(self) -> None:
        known = {job_id for shop in self.shops for job_id in shop.jobs}
        assert {delivery_id.partition(".")[0] for delivery_id in self.hub.receiver.came} <= known

    @invariant()
    def keys_are_shown_while_they_live(self) -> None:
        for shop in self.shops:
            for text, used in shop.used.items():
                self.check_key(keys.Key(keys.ClientId(shop.client_id), text), used)

    def check_key(self, key: keys.Key, used: Used) -> None:
        if used.expires_at <= self.now:
            with pytest.raises(keys.KeyNotFoundError):
                self.run(self.hub.idempotency.look_up(key))
            return
        record = self.run(self.hub.idempotency.look_up(key))
        assert (record.created_at, record.expires_at) == (used.begun_at, used.expires_at)
        assert (record.answer is not None) is used.answered
        assert record.answer is None or record.answer.body == (used.answer or record.answer.body)

    def settle(self) -> None:
        """Left alone, every job ends, and every valid row has gone out."""
        jobs = [(shop, job_id) for shop in self.shops for job_id in shop.jobs]
        for _ in range(30):
            if all(json.loads(self.shown(*job))["completed_at"] for job in jobs):
                break
            self.hub.later(timedelta(hours=9))
            self.wake()
        self.every_job_is_known_and_adds_up()
        for shop, job_id in jobs:
            assert json.loads(self.shown(shop, job_id))["status"] in {"completed", "failed"}
            assert f"{job_id}.0.{HOOK}" in self.hub.receiver.came

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from contactsync.delivery.v1 import delivery_service_pb2 as pb
from contactsync.delivery.v1 import destination_pb2
from google.protobuf.duration_pb2 import Duration

from services.delivery.main import Running
from tests.fakes.webhook import Cut, Slow, Status, WebhookFake
from tests.fixtures.databases import Databases
from tests.fixtures.nats import NatsServer
from tests.integration.delivery.hub import Hub, open_hub

BOOK = "directory"


@pytest.fixture
async def hub(tmp_path: Path, nats_server: NatsServer, databases: Databases) -> AsyncIterator[Hub]:
    async with open_hub(tmp_path, nats_server, databases) as hub:
        yield hub


@pytest.fixture
async def fake() -> AsyncIterator[WebhookFake]:
    async with WebhookFake() as fake:
        yield fake


def new_hook(url: str, **fields: Any) -> pb.CreateDestinationRequest:
    soon = Duration()
    soon.FromTimedelta(timedelta(milliseconds=1))
    retry = destination_pb2.RetrySchedule(first_delay=soon, max_delay=soon, max_attempts=5)
    return pb.CreateDestinationRequest(
        kind=destination_pb2.DESTINATION_KIND_WEBHOOK, url=url, **{"retry": retry, **fields}
    )


async def create(hub: Hub, service: Running, url: str, **fields: Any) -> str:
    created = await hub.ask(service, "CreateDestination", new_hook(url, **fields))
    identity: str = created.destination.id
    return identity


async def test_tickets_reach_the_book_and_their_outcomes_ingestion(hub: Hub) -> None:
    async with hub.delivering():
        await hub.ticket(*((f"job.{index}", BOOK) for index in range(100)))
        outcomes = await hub.ingestion.wait_for_finals(100)

    assert hub.book.applied.keys() == {f"job.{index}.directory" for index in range(100)}
    assert {outcome.row_states for outcome in outcomes} == {b"\x03"}
    assert {(outcome.attempt_count, outcome.response_status_code) for outcome in outcomes} == {(1, 200)}
    assert {outcome.context.correlation_id for outcome in outcomes} == {"corr-1"}
    assert len(hub.book.calls) < 30
    assert len(hub.ingestion.fetched) < 30


async def test_a_repeated_ticket_is_told_again_and_not_applied(hub: Hub) -> None:
    async with hub.delivering():
        await hub.ticket(("job.0", BOOK))
        await hub.ingestion.wait_for_finals(1)
        await hub.ticket(("job.0", BOOK))
        first, second = await hub.ingestion.wait_for_finals(2)

    assert first == second
    assert sum(hub.book.calls) == 1


async def test_a_chunk_that_the_book_refuses_takes_no_other_with_it(hub: Hub) -> None:
    hub.book.poison = {"job.3.directory"}
    async with hub.delivering():
        await hub.ticket(*((f"job.{index}", BOOK) for index in range(20)))
        outcomes = await hub.ingestion.wait_for_finals(20)

    failed = [outcome for outcome in outcomes if outcome.row_states == b"\x06"]
    assert [outcome.chunk_id for outcome in failed] == ["job.3"]
    assert failed[0].error_message == "The contact book refused: VALIDATION_ERROR."
    assert failed[0].response_status_code == 400


async def test_an_outcome_that_ingestion_refuses_takes_no_other_with_it(hub: Hub) -> None:
    hub.ingestion.refused = {"job.3"}
    async with hub.delivering():
        await hub.ticket(*((f"job.{index}", BOOK) for index in range(20)))
        outcomes = await hub.ingestion.wait_for_finals(19)

    assert "job.3" not in {outcome.chunk_id for outcome in outcomes}


async def test_chunks_come_in_as_many_calls_as_they_need(hub: Hub) -> None:
    hub.ingestion.most = 3
    async with hub.delivering():
        await hub.ticket(*((f"job.{index}", BOOK) for index in range(20)))
        await hub.ingestion.wait_for_finals(20)

    assert len(hub.book.applied) == 20


async def test_a_webhook_is_created_delivered_to_and_looked_into(hub: Hub, fake: WebhookFake) -> None:
    async with hub.delivering() as service:
        created = await hub.ask(service, "CreateDestination", new_hook(fake.url, name="AI"))
        identity = created.destination.id
        await hub.ticket(("job.0", identity))
        await hub.ingestion.wait_for_finals(1)
        listed = await hub.ask(service, "ListDestinations", pb.ListDestinationsRequest())
        got = await hub.ask(service, "GetDestination", pb.GetDestinationRequest(destination_id=identity))
        tries = await hub.ask(
            service, "ListAttempts", pb.ListAttemptsRequest(destination_id=identity, chunk_id="job.0")
        )

    assert len(base64.b64decode(created.secret.removeprefix("whsec_"))) == 32
    assert fake.effects == {f"job.0.{identity}": 1}
    assert b'"timestamp":"2025-10-09T08:53:20.000Z"' in fake.arrivals[0].body
    assert [each.id for each in listed.destinations] == [identity, BOOK]
    assert (got.destination, got.waiting) == (created.destination, 0)
    assert got.destination.idempotent
    assert [(each.number, each.response_status_code) for each in tries.attempts] == [(1, 200)]
    assert tries.attempts[0].duration_s > 0


async def test_defaults_of_the_schedule_are_filled_in(hub: Hub, fake: WebhookFake) -> None:
    async with hub.delivering() as service:
        created = await hub.ask(
            service, "CreateDestination", new_hook(fake.url, retry=None, secret="a secret of my own")
        )

    retry = created.destination.retry
    assert (retry.first_delay.seconds, retry.max_delay.seconds, retry.max_attempts, retry.timeout.seconds) == (
        5,
        8 * 3600,
        8,
        15,
    )
    assert created.secret == "a secret of my own"
    assert created.destination.name == "webhook"


async def test_failures_are_tried_again_by_the_scheduler(hub: Hub, fake: WebhookFake) -> None:
    fake.next.extend([Status(503), Cut(), Status(429)])
    async with hub.delivering() as service:
        identity = await create(hub, service, fake.url)
        await hub.ticket(("job.0", identity))
        [final] = await hub.ingestion.wait_for_finals(1)

    assert [outcome.response_status_code for outcome in hub.ingestion.outcomes] == [503, 0, 429, 200]
    assert all(outcome.HasField("next_attempt_at") for outcome in hub.ingestion.outcomes[:3])
    assert final.attempt_count == 4
    assert fake.effects == {f"job.0.{identity}": 1}


async def test_a_receiver_that_is_not_idempotent_gets_nothing_twice(hub: Hub) -> None:
    async with WebhookFake(idempotent=False) as fake, hub.delivering() as service:
        fake.default = Cut()
        identity = await create(hub, service, fake.url, idempotent=False)
        await hub.ticket(*((f"job.{index}", identity) for index in range(20)))
        outcomes = await hub.ingestion.wait_for_finals(20)

    assert {outcome.row_states for outcome in outcomes} == {b"\x08"}
    assert set(fake.effects.values()) == {1}
    assert len(fake.arrivals) == 20


async def test_an_idempotent_receiver_that_cuts_each_first_line_is_effected_once(hub: Hub, fake: WebhookFake) -> None:
    fake.next.extend([Cut()] * 50)
    async with hub.delivering() as service:
        identity = await create(hub, service, fake.url)
        await hub.ticket(*((f"job.{index}", identity) for index in range(50)))
        outcomes = await hub.ingestion.wait_for_finals(50)

    assert {outcome.row_states for outcome in outcomes} == {b"\x02"}
    assert set(fake.effects.values()) == {1}


async def test_a_paused_destination_keeps_its_backlog_over_a_restart_and_gets_it_when_resumed(
    hub: Hub, fake: WebhookFake
) -> None:
    async with hub.delivering() as service:
        identity = await create(hub, service, fake.url)
        name = {"destination_id": identity}
        await hub.ask(service, "PauseDestination", pb.PauseDestinationRequest(**name))
        await hub.ticket(("job.0", identity), ("job.1", BOOK))
        await hub.ingestion.wait_for_finals(1)
    async with hub.delivering() as service:
        backlog = await hub.ask(service, "GetDestination", pb.GetDestinationRequest(**name))
        came_while_paused = len(fake.arrivals)
        await hub.ask(service, "ResumeDestination", pb.ResumeDestinationRequest(**name))
        await hub.ingestion.wait_for_finals(2)

    assert (backlog.waiting, backlog.destination.paused) == (1, True)
    assert came_while_paused == 0
    assert fake.effects == {f"job.0.{identity}": 1}


async def test_a_retry_that_became_due_while_stopped_is_taken_up_at_start(hub: Hub, fake: WebhookFake) -> None:
    fake.default = Status(503, headers={"Retry-After": "1"})
    async with hub.delivering() as service:
        identity = await create(hub, service, fake.url, retry=destination_pb2.RetrySchedule(max_attempts=5))
        await hub.ticket(("job.0", identity))
        await hub.ingestion.wait_for(lambda: bool(hub.ingestion.outcomes))
    tries = len(fake.arrivals)  # one, unless stopping took so long that the next was due before
    fake.default = Status()

    async with hub.delivering():
        [final] = await hub.ingestion.wait_for_finals(1)

    assert (final.attempt_count, final.row_states) == (tries + 1, b"\x02")


async def test_what_is_being_sent_when_a_stop_is_asked_for_is_finished(hub: Hub, fake: WebhookFake) -> None:
    fake.next.append(Slow())
    async with hub.delivering() as service:
        identity = await create(hub, service, fake.url, idempotent=False)
        await hub.ticket(("job.0", identity))
        await fake.arrived.wait()
        service.server.stopping.set()
        fake.go_on.set()

    [final] = hub.ingestion.finals
    assert final.row_states == b"\x02"


async def test_a_chunk_that_is_gone_is_not_asked_for_for_ever(hub: Hub) -> None:
    hub.ingestion.unknown = {"job.0"}
    async with hub.delivering():
        await hub.ticket(("job.0", BOOK))
        await hub.ticket(("job.1", BOOK), ("job.0", BOOK))
        [final] = await hub.ingestion.wait_for_finals(1)

    assert final.chunk_id == "job.1"


async def test_a_message_that_is_no_ticket_is_given_up(hub: Hub) -> None:
    async with hub.delivering():
        await hub.bus.publish("delivery.ticket", b"\xff\xff", message_id="garbage")
        await hub.ticket(("job.0", BOOK))
        await hub.ingestion.wait_for_finals(1)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (None, grpc.StatusCode.UNAUTHENTICATED),
        ("nonsense", grpc.StatusCode.UNAUTHENTICATED),
        ("partner", grpc.StatusCode.PERMISSION_DENIED),
    ],
)
async def test_only_an_admin_operates(hub: Hub, key: str | None, code: grpc.StatusCode) -> None:
    async with hub.delivering() as service:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await hub.ask(service, "ListDestinations", pb.ListDestinationsRequest(), key=key)

    assert refused.value.code() is code


@pytest.mark.parametrize(
    ("method", "request_", "code"),
    [
        ("CreateDestination", new_hook("http://169.254.169.254/latest"), grpc.StatusCode.INVALID_ARGUMENT),
        ("CreateDestination", new_hook("https://8.8.8.8/", secret="whsec_***"), grpc.StatusCode.INVALID_ARGUMENT),
        ("CreateDestination", pb.CreateDestinationRequest(url="https://8.8.8.8/"), grpc.StatusCode.INVALID_ARGUMENT),
        (
            "CreateDestination",
            pb.CreateDestinationRequest(kind=destination_pb2.DESTINATION_KIND_DIRECTORY),
            grpc.StatusCode.FAILED_PRECONDITION,
        ),
        ("GetDestination", pb.GetDestinationRequest(destination_id="none"), grpc.StatusCode.NOT_FOUND),
        ("PauseDestination", pb.PauseDestinationRequest(destination_id="none"), grpc.StatusCode.NOT_FOUND),
        ("ResumeDestination", pb.ResumeDestinationRequest(destination_id="none"), grpc.StatusCode.NOT_FOUND),
        ("ListAttempts", pb.ListAttemptsRequest(destination_id=BOOK, chunk_id="none"), grpc.StatusCode.NOT_FOUND),
    ],
)
async def test_an_operator_s_mistake_is_told(hub: Hub, method: str, request_: Any, code: grpc.StatusCode) -> None:
    async with hub.delivering() as service:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await hub.ask(service, method, request_)

    assert refused.value.code() is code


async def test_a_lost_bus_is_waited_for(hub: Hub) -> None:
    async with hub.delivering():
        await hub.nats.kill()
        hub.nats.delete_store()
        await hub.nats.start()
        while not hub.ingestion.finals:
            try:
                await hub.ticket(("job.0", BOOK))
            except Exception:  # noqa: BLE001  # not connected yet
                await asyncio.sleep(0.05)
                continue
            await hub.ingestion.wait_for_finals(1)

    assert hub.book.applied.keys() == {"job.0.directory"}

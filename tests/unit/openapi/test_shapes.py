"""The bodies that the services write are the ones that the contract describes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from contactsync.idempotency.v1.idempotency_document_pb2 import KeyDocument
from contactsync.ingestion.v1 import import_document_pb2 as pb
from contactsync.openapi.v1.error_document_pb2 import ErrorDocument, SentenceErrorDocument, TelecrmErrorDocument

from libs.rpc.envelope import envelope
from libs.rpc.reason import REASONS
from libs.rpc.refusal import Violation
from libs.rpc.told import Envelope, Told
from services.idempotency.domain import Answer, ClientId, Fence, JobId, Key, Record
from services.idempotency.rest import view_of
from services.ingestion.domain.erasure import NOBODY, Erasure, ErasureId, Stage
from services.ingestion.domain.outcome import RowState
from services.ingestion.handler.following import RowQuery
from services.ingestion.rest import answers, row_answers
from services.ingestion.rest.erasing import erasure_body
from services.ingestion.rest.rows import RestRows
from tests.fixtures.shapes import APIS, assert_shaped, described
from tests.unit.ingestion.world import World, client, contact

MIXED = [contact(0), {"phone": "x", "surname": "Ivanova"}, contact(1)]


async def test_accepted_import() -> None:
    answer = await World().accept(MIXED)

    assert_shaped(answer.body, pb.AcceptedDocument.DESCRIPTOR)


async def test_dry_run() -> None:
    world = World()
    asked = await world.asked(MIXED)
    assert isinstance(asked.rows, RestRows)

    body = answers.rehearsed(await world.imports.rehearse(asked), asked.rows)

    assert_shaped(body, pb.DryRunDocument.DESCRIPTOR)


@pytest.mark.parametrize("states", ["", "created created", "created failed"])
async def test_job_rows_and_retry(states: str) -> None:
    world = World()
    job_id = await world.job(MIXED)
    if states:
        outcome = [RowState[state.upper()] for state in states.split()]
        await world.tell(world.outcome(f"{job_id}.0", outcome, error_message="Refused."))
    record = await world.follow.get(job_id, viewer=client().client_id)
    page = await world.follow.rows(job_id, RowQuery(limit=2), viewer=None)

    assert_shaped(answers.job_body(record), pb.JobDocument.DESCRIPTOR)
    assert_shaped(answers.retried(record, 1), pb.RetriedDocument.DESCRIPTOR)
    assert_shaped(row_answers.rows_page(page), pb.RowsDocument.DESCRIPTOR)


def test_health() -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    well = answers.health(version="1.0.0", now=now)
    ill = answers.health(version="1.0.0", now=now, healthy=False, checks=answers.database_check(healthy=False))

    assert_shaped(well, pb.HealthDocument.DESCRIPTOR)
    assert_shaped(ill, pb.HealthDocument.DESCRIPTOR)


@pytest.mark.parametrize("answer", [None, Answer(202, b'{"job_id":"1"}')])
def test_idempotency_key(answer: Answer | None) -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    record = Record(
        key=Key(ClientId("shop"), "key"),
        job_id=JobId("550e8400-e29b-41d4-a716-446655440000"),
        body_hash=bytes(32),
        fingerprint=bytes(32),
        fence=Fence(1),
        lease_until=now,
        created_at=now,
        expires_at=now + timedelta(hours=72),
        accessed_at=now,
        answer=answer,
    )

    assert_shaped(msgspec.json.encode(view_of(record)), KeyDocument.DESCRIPTOR)


@pytest.mark.parametrize("stage", Stage)
def test_erasure(stage: Stage) -> None:
    now = datetime(2026, 1, 15, 12, tzinfo=UTC)
    erasure = Erasure(
        erasure_id=ErasureId("770e8400-e29b-41d4-a716-446655440002"),
        client_id=client().client_id,
        everywhere=False,
        person=NOBODY,
        created_at=now,
        stage=stage,
        completed_at=now if stage is Stage.COMPLETED else None,
    )

    assert_shaped(erasure_body(erasure), pb.ErasureDocument.DESCRIPTOR)


@pytest.mark.parametrize("details", [0, 1, 101])
@pytest.mark.parametrize("fields", [{}, {"existing_created_at": "2026-01-15T12:00:00Z"}])
def test_error(details: int, fields: dict[str, str]) -> None:
    violations = [Violation("/0/phone", "too_short", "Invalid phone number", "7")] * details
    told = Told(REASONS["VALIDATION_ERROR"], "Request validation failed", violations=violations, fields=fields)

    assert_shaped(envelope(told), ErrorDocument.DESCRIPTOR)


@pytest.mark.parametrize("api", APIS)
def test_every_example_is_of_its_shape(api: str) -> None:
    found = list(_examples(described(api)))

    assert len(found) > 20
    for schema, example in found:
        with_shapes = {**schema, "components": described(api)["components"]}
        jsonschema_rs.validate(with_shapes, example, validate_formats=True)


@pytest.mark.parametrize("shape", [Envelope.TELECRM, Envelope.CONNECT, Envelope.CONTACT_SOURCE])
@pytest.mark.parametrize("details", [0, 1])
def test_error_of_other_envelopes(shape: Envelope, details: int) -> None:
    told = Told(REASONS["VALIDATION_ERROR"], "Bad.", [Violation("/email", "invalid", "Email is invalid")] * details)

    document = TelecrmErrorDocument if shape is Envelope.TELECRM else SentenceErrorDocument
    assert_shaped(envelope(told, shape), document.DESCRIPTOR)


def _examples(told: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every schema that has examples beside it or in it, with each of them."""
    if isinstance(told, list):
        for each in told:
            yield from _examples(each)
    if isinstance(told, dict):
        if isinstance(told.get("schema"), dict):
            values = [told["example"]] if "example" in told else []
            values += [each["value"] for each in told.get("examples", {}).values()]
            yield from ((told["schema"], value) for value in values)
        if isinstance(told.get("examples"), list):
            yield from ((told, value) for value in told["examples"])
        for each in told.values():
            yield from _examples(each)

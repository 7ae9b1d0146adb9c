"""Deliveries, tries and destinations as rows, in the order of the columns."""

import json
from datetime import datetime, timedelta
from typing import Any

from libs.storage import from_micros, to_micros
from services.delivery.domain.answer import RowFailure
from services.delivery.domain.delivery import Attempt, ChunkId, Delivery, DeliveryKey, DeliveryState, Ref
from services.delivery.domain.destination import DestinationId
from services.delivery.ports import Cipher

Row = tuple[Any, ...]

_MICROSECOND = timedelta(microseconds=1)


def key_row(key: DeliveryKey) -> Row:
    """Write the key's columns."""
    return key.chunk_id, key.destination_id, key.round


def delivery_row(delivery: Delivery) -> Row:
    """Write a delivery."""
    ref = delivery.ref
    return (
        *key_row(ref.key),
        ref.correlation_id,
        ref.traceparent,
        _write_positions(ref.positions),
        delivery.state.value,
        to_micros(delivery.created_at),
        delivery.states,
        _write_failures(delivery.failures),
        delivery.attempt_count,
        delivery.tries,
        _write_positions(delivery.part),
        delivery.passed,
        delivery.part_limit,
        delivery.probes,
        int(delivery.is_tainted),
        _optional_micros(delivery.due_at),
        _optional_micros(delivery.attempted_at),
        delivery.status,
        delivery.message,
        delivery.fence,
    )


def read_delivery(row: Row) -> Delivery:
    """Read what `delivery_row` wrote."""
    chunk_id, destination_id, number, correlation_id, traceparent, positions, state, created_at, *outcome = row
    states, failures, attempt_count, *progress, due_at, attempted_at, status, message, fence = outcome
    tries, part, passed, part_limit, probes, is_tainted = progress
    return Delivery(
        ref=Ref(
            DeliveryKey(ChunkId(chunk_id), DestinationId(destination_id), number),
            correlation_id=correlation_id,
            traceparent=traceparent,
            positions=_read_positions(positions),
        ),
        state=DeliveryState(state),
        created_at=from_micros(created_at),
        states=bytes(states),
        failures=_read_failures(failures),
        attempt_count=attempt_count,
        tries=tries,
        part=_read_positions(part),
        passed=passed,
        part_limit=part_limit,
        probes=probes,
        is_tainted=bool(is_tainted),
        due_at=_optional_time(due_at),
        attempted_at=_optional_time(attempted_at),
        status=status,
        message=message,
        fence=fence,
    )


def attempt_row(attempt: Attempt, *, cipher: Cipher) -> Row:
    """Write a try, what came back sealed."""
    sealed = None
    if attempt.answer:
        sealed = cipher.seal(attempt.answer, destination_id=attempt.key.destination_id)
    return (
        *key_row(attempt.key),
        attempt.number,
        to_micros(attempt.started_at),
        attempt.duration // _MICROSECOND,
        attempt.status,
        attempt.message,
        sealed,
    )


def read_attempt(row: Row, *, cipher: Cipher) -> Attempt:
    """Read what `attempt_row` wrote."""
    chunk_id, destination_id, number_of_round, number, started_at, duration, status, message, sealed = row
    answer = "" if sealed is None else cipher.unseal(bytes(sealed), destination_id=destination_id)
    return Attempt(
        key=DeliveryKey(ChunkId(chunk_id), DestinationId(destination_id), number_of_round),
        number=number,
        started_at=from_micros(started_at),
        duration=duration * _MICROSECOND,
        status=status,
        message=message,
        answer=answer,
    )


def _write_positions(positions: tuple[int, ...]) -> str:
    return json.dumps(positions) if positions else ""


def _read_positions(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text)) if text else ()


def _write_failures(failures: tuple[RowFailure, ...]) -> str:
    return json.dumps([(each.position, each.reason) for each in failures], ensure_ascii=False) if failures else ""


def _read_failures(text: str) -> tuple[RowFailure, ...]:
    if not text:
        return ()
    return tuple(RowFailure(position=position, reason=reason) for position, reason in json.loads(text))


def _optional_micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _optional_time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)

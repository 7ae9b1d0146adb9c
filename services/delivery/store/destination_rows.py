"""Destinations as rows, in the order of the columns."""

import json
from datetime import timedelta
from typing import Any

from libs.storage import from_micros, to_micros
from services.delivery.domain.destination import (
    DEFAULT_CONCURRENCY,
    Credentials,
    Destination,
    DestinationId,
    DestinationKind,
    RetrySchedule,
    default_chunk_size,
)
from services.delivery.domain.success import SuccessRule
from services.delivery.domain.tags import TagFilter
from services.delivery.ports import Cipher

Row = tuple[Any, ...]

_MICROSECOND = timedelta(microseconds=1)


def destination_row(destination: Destination, *, cipher: Cipher) -> Row:
    """Write a destination, its secrets sealed."""
    retry = destination.retry
    return (
        destination.destination_id,
        destination.name,
        destination.kind.value,
        destination.url,
        None,
        retry.first_delay // _MICROSECOND,
        retry.max_delay // _MICROSECOND,
        retry.max_attempts,
        retry.timeout // _MICROSECOND,
        int(destination.paused),
        int(destination.idempotent),
        to_micros(destination.created_at),
        json.dumps(_settings(destination), ensure_ascii=False),
        _seal(destination, cipher),
        destination.pause_reason,
        int(destination.resuming),
    )


def read_destination(row: Row, *, cipher: Cipher) -> Destination:
    """Read what `destination_row` wrote, or what there was before it could hold more than one secret."""
    identity, name, kind, url, sealed_secret, first_delay, max_delay, max_attempts, timeout, *rest = row
    paused, idempotent, created_at, settings, sealed_secrets, pause_reason, resuming = rest
    destination_id = DestinationId(identity)
    return Destination(
        destination_id=destination_id,
        name=name,
        kind=DestinationKind(kind),
        url=url,
        retry=RetrySchedule(
            first_delay=first_delay * _MICROSECOND,
            max_delay=max_delay * _MICROSECOND,
            max_attempts=max_attempts,
            timeout=timeout * _MICROSECOND,
        ),
        paused=bool(paused),
        pause_reason=pause_reason,
        resuming=bool(resuming),
        idempotent=bool(idempotent),
        created_at=from_micros(created_at),
        **_read_settings(json.loads(settings), kind=DestinationKind(kind)),
        **_read_secrets(_unseal(destination_id, sealed_secrets, sealed_secret, cipher)),
    )


def _settings(destination: Destination) -> dict[str, Any]:
    tags, success = destination.tags, destination.success
    return {
        "chunk_size": destination.chunk_size,
        "concurrency": destination.concurrency,
        "rate": destination.rate,
        "enterprise_id": destination.enterprise_id,
        "fields": dict(destination.fields),
        "lead_status": destination.lead_status,
        "tags": {"any_of": tags.any_of, "none_of": tags.none_of},
        "success": {
            "statuses": success.statuses,
            "body_field": success.body_field,
            "body_equals": success.body_equals,
        },
    }


def _read_settings(known: dict[str, Any], *, kind: DestinationKind) -> dict[str, Any]:
    tags, success = known.get("tags", {}), known.get("success", {})
    return {
        "chunk_size": known.get("chunk_size", default_chunk_size(kind)),
        "concurrency": known.get("concurrency", DEFAULT_CONCURRENCY),
        "rate": known.get("rate", 0.0),
        "enterprise_id": known.get("enterprise_id", ""),
        "fields": known.get("fields", {}),
        "lead_status": known.get("lead_status", ""),
        "tags": TagFilter(any_of=tuple(tags.get("any_of", ())), none_of=tuple(tags.get("none_of", ()))),
        "success": SuccessRule(
            statuses=tuple(success.get("statuses", ())),
            body_field=success.get("body_field", ""),
            body_equals=success.get("body_equals", ""),
        ),
    }


def _seal(destination: Destination, cipher: Cipher) -> bytes | None:
    """None: there is nothing secret."""
    until, credentials = destination.old_secrets_until, destination.credentials
    known = {
        "secrets": destination.secrets,
        "old_secrets_until": None if until is None else to_micros(until),
        "token": credentials.token,
        "api_key": credentials.api_key,
        "headers": dict(destination.headers),
    }
    if not any(known.values()):
        return None
    return cipher.seal(json.dumps(known), destination_id=destination.destination_id)


def _unseal(
    destination_id: DestinationId, secrets: bytes | None, only_secret: bytes | None, cipher: Cipher
) -> dict[str, Any]:
    if secrets is not None:
        known: dict[str, Any] = json.loads(cipher.unseal(bytes(secrets), destination_id=destination_id))
        return known
    if only_secret is not None:
        return {"secrets": [cipher.unseal(bytes(only_secret), destination_id=destination_id)]}
    return {}


def _read_secrets(known: dict[str, Any]) -> dict[str, Any]:
    until = known.get("old_secrets_until")
    return {
        "secrets": tuple(known.get("secrets", ())),
        "old_secrets_until": None if until is None else from_micros(until),
        "credentials": Credentials(token=known.get("token", ""), api_key=known.get("api_key", "")),
        "headers": known.get("headers", {}),
    }

"""Wire to domain; the contract let nothing in that has no meaning here."""

import base64
import binascii
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from contactsync.delivery.v1 import dead_letter_pb2, destination_pb2
from contactsync.delivery.v1 import delivery_service_pb2 as wire
from google.protobuf.duration_pb2 import Duration

from services.delivery.domain.dead_letter import DEAD, DeadLetter, DeadLetterFilter
from services.delivery.domain.delivery import ChunkId
from services.delivery.domain.destination import DestinationId, DestinationKind
from services.delivery.domain.errors import InvalidSelectionError, Violation
from services.delivery.domain.settings import Changes, Resettable, RetryChange
from services.delivery.domain.success import SuccessRule
from services.delivery.domain.tags import TagFilter
from services.delivery.ports.operating import Place

T = TypeVar("T")

KIND = {
    DestinationKind.DIRECTORY: destination_pb2.DESTINATION_KIND_DIRECTORY,
    DestinationKind.WEBHOOK: destination_pb2.DESTINATION_KIND_WEBHOOK,
    DestinationKind.TELECRM: destination_pb2.DESTINATION_KIND_TELECRM,
    DestinationKind.CONNECT: destination_pb2.DESTINATION_KIND_CONNECT,
}
KIND_OF = {number: kind for kind, number in KIND.items()}
_STATE_OF = {name: state for state, name in DEAD.items()}
_TEXTS = ("name", "url", "secret", "token", "api_key", "enterprise_id", "lead_status")


def read_new(request: wire.CreateDestinationRequest) -> Changes:
    """Read what differs from a destination of the defaults."""
    texts = {name: getattr(request, name) or None for name in _TEXTS}
    return _read_changes(request, texts)


def read_changes(request: wire.UpdateDestinationRequest) -> Changes:
    """Read what is given."""
    given = {field.name for field, _ in request.ListFields()}
    texts = {name: getattr(request, name) if name in given else None for name in _TEXTS}
    return _read_changes(request, texts, reset=frozenset(map(Resettable, request.reset)))


def read_filter(
    destination_id: str, given: dead_letter_pb2.DeadLetterFilter, *, closed: bool = False
) -> DeadLetterFilter:
    """Read which dead letters are meant."""
    return DeadLetterFilter(
        destination_id=DestinationId(destination_id),
        states=frozenset(_STATE_OF[name] for name in given.states),
        since=given.since.ToDatetime(UTC) if given.HasField("since") else None,
        job_id=given.job_id,
        chunk_id=given.chunk_id,
        positions=frozenset(given.positions),
        reason=given.reason,
        rows=frozenset(_read_row(row) for row in given.rows),
        closed=closed,
    )


def _read_row(row: str) -> tuple[ChunkId, int]:
    chunk_id, _, position = row.rpartition("/")
    return ChunkId(chunk_id), int(position)


def read_span(given: Duration, *, present: bool) -> timedelta | None:
    """Read a time span. None: it is absent."""
    return given.ToTimedelta() if present else None


def read_place(token: str) -> Place | None:
    """Read where a page goes on. None: at the beginning. Raises InvalidSelectionError for what is no token."""
    if not token:
        return None
    try:
        at, chunk_id, position = json.loads(base64.urlsafe_b64decode(token))
        return Place(at=datetime.fromisoformat(at), chunk_id=ChunkId(str(chunk_id)), position=int(position))
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise InvalidSelectionError(Violation("/page_token", "invalid", "is not a next_page_token")) from None


def write_place(letter: DeadLetter) -> str:
    """Write where the page after this one goes on."""
    place = json.dumps([letter.at.isoformat(), letter.chunk_id, letter.position])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _read_changes(request: Any, texts: dict[str, Any], **more: Any) -> Changes:
    def present(name: str, read: Callable[[Any], T]) -> T | None:
        return read(getattr(request, name)) if request.HasField(name) else None

    return Changes(
        **texts,
        **more,
        retry=_read_retry(request.retry),
        chunk_size=present("chunk_size", int),
        concurrency=present("concurrency", int),
        rate=present("rate", float),
        idempotent=present("idempotent", bool),
        headers=dict(request.headers) or None,
        fields=dict(request.fields) or None,
        tags=present("tags", _read_tags),
        success=present("success", _read_success),
    )


def _read_retry(retry: destination_pb2.RetrySchedule) -> RetryChange:
    """Zero is not given."""
    return RetryChange(
        first_delay=retry.first_delay.ToTimedelta() or None,
        max_delay=retry.max_delay.ToTimedelta() or None,
        max_attempts=retry.max_attempts or None,
        timeout=retry.timeout.ToTimedelta() or None,
    )


def _read_tags(tags: destination_pb2.TagFilter) -> TagFilter:
    return TagFilter(any_of=tuple(tags.any_of), none_of=tuple(tags.none_of))


def _read_success(success: destination_pb2.SuccessRule) -> SuccessRule:
    return SuccessRule(statuses=tuple(success.statuses), body_field=success.body_field, body_equals=success.body_equals)

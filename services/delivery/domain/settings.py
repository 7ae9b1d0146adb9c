"""What an operator may set of a destination, and which settings make sense together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from enum import StrEnum

from services.delivery.domain.destination import (
    Credentials,
    Destination,
    DestinationKind,
    RetrySchedule,
    parse_secret,
)
from services.delivery.domain.errors import InvalidDestinationError, Violation
from services.delivery.domain.success import ANY_2XX, SuccessRule
from services.delivery.domain.tags import EVERYONE, TagFilter

OWN_HEADERS = frozenset(
    {"accept-encoding", "connection", "host", "idempotency-key", "traceparent", "transfer-encoding", "upgrade"}
    | {"x-correlation-id"}
)
OWN_PREFIXES = ("content-", "webhook-")


class Resettable(StrEnum):
    """Settings that can go back to their default."""

    HEADERS = "headers"
    FIELDS = "fields"
    TAGS = "tags"
    SUCCESS = "success"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryChange:
    """What changes of a retry schedule. None: it stays."""

    first_delay: timedelta | None = None
    max_delay: timedelta | None = None
    max_attempts: int | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changes of a destination. None: it stays."""

    name: str | None = None
    url: str | None = None
    secret: str | None = field(default=None, repr=False)
    """The only one that signs from then on."""
    token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    enterprise_id: str | None = None
    retry: RetryChange = RetryChange()
    chunk_size: int | None = None
    concurrency: int | None = None
    rate: float | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    tags: TagFilter | None = None
    success: SuccessRule | None = None
    fields: Mapping[str, str] | None = None
    lead_status: str | None = None
    idempotent: bool | None = None
    reset: frozenset[Resettable] = frozenset()
    """Go back to their default first."""


_PLAIN = (
    *("name", "url", "enterprise_id", "chunk_size", "concurrency", "rate", "headers", "tags", "success", "fields"),
    *("lead_status", "idempotent"),
)
_SUITS = {
    "secret": {DestinationKind.WEBHOOK},
    "success": {DestinationKind.WEBHOOK},
    "token": {DestinationKind.TELECRM},
    "enterprise_id": {DestinationKind.TELECRM},
    "api_key": {DestinationKind.CONNECT},
    "lead_status": {DestinationKind.CONNECT},
    "fields": {DestinationKind.TELECRM, DestinationKind.CONNECT},
    "headers": {DestinationKind.WEBHOOK, DestinationKind.TELECRM, DestinationKind.CONNECT},
    "url": {DestinationKind.WEBHOOK, DestinationKind.TELECRM, DestinationKind.CONNECT},
}


def change(destination: Destination, changes: Changes) -> Destination:
    """Return the destination with the changes. Raises InvalidDestinationError, which lists every broken rule."""
    unsuited = list(_unsuited(destination.kind, changes))
    if unsuited:
        raise InvalidDestinationError(*unsuited)
    changed = _changed(destination, changes)
    broken = [*_flaws_of_secret(changes), *flaws(changed)]
    if broken:
        raise InvalidDestinationError(*broken)
    return changed


def flaws(destination: Destination) -> Iterator[Violation]:
    """Give every rule that the destination breaks. Where its URL leads is not asked here."""
    yield from _missing(destination)
    yield from _flaws_of_headers(destination)
    if destination.retry.first_delay > destination.retry.max_delay:
        message = "must not be longer than max_delay"
        yield Violation("/retry/first_delay", "out_of_order", message)
    if destination.kind is DestinationKind.DIRECTORY and not destination.idempotent:
        yield Violation("/idempotent", "not_possible", "the contact book takes a delivery id twice as once")


def _changed(destination: Destination, changes: Changes) -> Destination:
    given = {name: value for name in _PLAIN if (value := getattr(changes, name)) is not None}
    known = destination.credentials
    token = known.token if changes.token is None else changes.token
    api_key = known.api_key if changes.api_key is None else changes.api_key
    secret = {"secrets": (changes.secret,), "old_secrets_until": None} if changes.secret else {}
    return replace(
        destination,
        **{**_defaults(changes.reset), **given, **secret},
        credentials=Credentials(token=token, api_key=api_key),
        retry=_retry(destination.retry, changes.retry),
    )


def _defaults(reset: frozenset[Resettable]) -> dict[str, object]:
    defaults: dict[Resettable, object] = {
        Resettable.HEADERS: {},
        Resettable.FIELDS: {},
        Resettable.TAGS: EVERYONE,
        Resettable.SUCCESS: ANY_2XX,
    }
    return {each.value: defaults[each] for each in reset}


def _retry(known: RetrySchedule, changes: RetryChange) -> RetrySchedule:
    given = {each.name: value for each in fields(changes) if (value := getattr(changes, each.name)) is not None}
    if changes.first_delay is None and changes.max_delay is not None:
        # The shorter bound holds for the first pause too, as it does for every other: nobody has to say it twice.
        given["first_delay"] = min(known.first_delay, changes.max_delay)
    return replace(known, **given)


def _unsuited(kind: DestinationKind, changes: Changes) -> Iterator[Violation]:
    for name, kinds in _SUITS.items():
        if getattr(changes, name) and kind not in kinds:
            suited = " or ".join(sorted(kinds))
            yield Violation(f"/{name}", "not_possible", f"is a setting of {suited}, not of {kind}")


def _missing(destination: Destination) -> Iterator[Violation]:
    needed = {
        DestinationKind.DIRECTORY: {},
        DestinationKind.WEBHOOK: {"url": destination.url},
        DestinationKind.TELECRM: {
            "url": destination.url,
            "token": destination.credentials.token,
            "enterprise_id": destination.enterprise_id,
        },
        DestinationKind.CONNECT: {"url": destination.url, "api_key": destination.credentials.api_key},
    }[destination.kind]
    for name, value in needed.items():
        if not value:
            yield Violation(f"/{name}", "required", f"is needed for {destination.kind}")


def _flaws_of_secret(changes: Changes) -> Iterator[Violation]:
    if changes.secret:
        try:
            parse_secret(changes.secret)
        except InvalidDestinationError as error:
            yield from error.violations


def _flaws_of_headers(destination: Destination) -> Iterator[Violation]:
    own_key = destination.kind is not DestinationKind.WEBHOOK
    seen: set[str] = set()
    for name in destination.headers:
        lower = name.lower()
        if lower in OWN_HEADERS or lower.startswith(OWN_PREFIXES) or (own_key and lower == "authorization"):
            yield Violation(f"/headers/{name}", "not_allowed", "is a header that the hub sets itself")
        if lower in seen:
            yield Violation(f"/headers/{name}", "duplicate", "is given twice")
        seen.add(lower)

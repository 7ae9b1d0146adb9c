"""What a source must have."""

from collections.abc import Iterator
from datetime import timedelta
from typing import assert_never

from services.source_polling.domain.errors import Violation
from services.source_polling.domain.source import Credentials, Source, SourceKind
from services.source_polling.ports.surroundings import CronLines


def flaws(source: Source, *, cron: CronLines, objection: str | None) -> list[Violation]:
    """List every rule that it breaks; `objection` is what the guard says of its URL."""
    return list(_flaws(source, cron=cron, objection=objection))


def _flaws(source: Source, *, cron: CronLines, objection: str | None) -> Iterator[Violation]:
    if objection is not None:
        yield Violation("/settings/url", "forbidden_url", objection)
    if "?" in source.url:
        yield Violation("/settings/url", "query_in_url", "must not hold a query: the hub puts paths behind it")
    yield from _missing(source.kind, source.credentials)
    if source.schedule.cron and (flaw := cron.flaw(source.schedule.cron)):
        yield Violation("/settings/cron", "bad_cron", flaw, source.schedule.cron[:64])
    if source.schedule.interval < timedelta(seconds=1):
        yield Violation("/settings/interval", "bad_interval", "must be 1 s or longer")


def _missing(kind: SourceKind, credentials: Credentials) -> Iterator[Violation]:
    match kind:
        case SourceKind.CUSTOM:
            yield from _absent("/settings/client_id", credentials.client_id, "the client id that the source gave")
            yield from _absent("/secrets/client_secret", credentials.client_secret, "the secret of the client id")
        case SourceKind.CONNECT:
            yield from _absent("/secrets/api_key", credentials.api_key, "an API key of the workspace")
        case SourceKind.TELECRM:
            yield from _absent("/settings/enterprise_id", credentials.enterprise_id, "the enterprise id")
            yield from _absent("/secrets/token", credentials.token, "a Sync token of the enterprise")
        case unreachable:
            assert_never(unreachable)


def _absent(pointer: str, value: str, what: str) -> Iterator[Violation]:
    if not value:
        yield Violation(pointer, "missing", f"is needed for this kind of source: {what}")

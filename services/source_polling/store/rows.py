"""Sources and runs as rows, in the order of the columns."""

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import msgspec

from libs.storage import Row, from_micros, to_micros
from services.source_polling.domain.run import Phase, Run, RunId, RunStatus, Tally
from services.source_polling.domain.source import Credentials, Fuse, Retry, Schedule, Source, SourceId, SourceKind

TALLY = tuple(each.name for each in fields(Tally))

_MICROSECOND = timedelta(microseconds=1)


class _Settings(msgspec.Struct, kw_only=True, omit_defaults=False):
    """Durations are microseconds."""

    url: str
    workspace_id: str
    destination_ids: tuple[str, ...]
    default_region: str
    client_id: str
    enterprise_id: str
    page_size: int
    max_pages: int
    rate: float
    first_delay: int
    max_delay: int
    max_attempts: int
    timeout: int
    interval: int
    cron: str
    fuse_share: float
    fuse_count: int


class _Secrets(msgspec.Struct, kw_only=True):
    client_secret: str = ""
    token: str = ""
    api_key: str = ""


_settings = msgspec.json.Decoder(_Settings)
_secrets = msgspec.json.Decoder(_Secrets)


def secrets_text(source: Source) -> str:
    """The secrets as they are sealed."""
    own = source.credentials
    return msgspec.json.encode(_Secrets(client_secret=own.client_secret, token=own.token, api_key=own.api_key)).decode()


def source_row(source: Source, *, sealed: bytes) -> Row:
    """Write a source."""
    return (
        source.source_id,
        source.name,
        source.kind.value,
        msgspec.json.encode(_settings_of(source)).decode(),
        sealed,
        int(source.enabled),
        micros(source.next_run_at),
        micros(source.cursor),
        to_micros(source.created_at),
    )


def _settings_of(source: Source) -> _Settings:
    retry = source.retry
    return _Settings(
        url=source.url,
        workspace_id=source.workspace_id,
        destination_ids=source.destination_ids,
        default_region=source.default_region,
        client_id=source.credentials.client_id,
        enterprise_id=source.credentials.enterprise_id,
        page_size=source.page_size,
        max_pages=source.max_pages,
        rate=source.rate,
        first_delay=retry.first_delay // _MICROSECOND,
        max_delay=retry.max_delay // _MICROSECOND,
        max_attempts=retry.max_attempts,
        timeout=retry.timeout // _MICROSECOND,
        interval=source.schedule.interval // _MICROSECOND,
        cron=source.schedule.cron,
        fuse_share=source.fuse.share,
        fuse_count=source.fuse.count,
    )


def source_of_row(row: Row, *, secrets: str) -> Source:
    """Read what `source_row` wrote."""
    source_id, name, kind, settings_text, _, enabled, next_run_at, cursor, created_at = row
    settings, own = _settings.decode(settings_text), _secrets.decode(secrets)
    return Source(
        source_id=SourceId(source_id),
        name=name,
        kind=SourceKind(kind),
        url=settings.url,
        credentials=Credentials(
            client_id=settings.client_id,
            client_secret=own.client_secret,
            token=own.token,
            api_key=own.api_key,
            enterprise_id=settings.enterprise_id,
        ),
        workspace_id=settings.workspace_id,
        destination_ids=settings.destination_ids,
        default_region=settings.default_region,
        page_size=settings.page_size,
        max_pages=settings.max_pages,
        rate=settings.rate,
        retry=_retry(settings),
        schedule=Schedule(interval=settings.interval * _MICROSECOND, cron=settings.cron),
        fuse=Fuse(share=settings.fuse_share, count=settings.fuse_count),
        enabled=bool(enabled),
        next_run_at=moment(next_run_at),
        cursor=moment(cursor),
        created_at=from_micros(created_at),
    )


def _retry(settings: _Settings) -> Retry:
    return Retry(
        first_delay=settings.first_delay * _MICROSECOND,
        max_delay=settings.max_delay * _MICROSECOND,
        max_attempts=settings.max_attempts,
        timeout=settings.timeout * _MICROSECOND,
    )


def run_row(run: Run) -> Row:
    """Write a run."""
    return (
        run.run_id,
        run.source_id,
        run.number,
        int(run.full),
        to_micros(run.started_at),
        micros(run.since),
        run.status.value,
        run.phase.value,
        run.page_cursor,
        run.fingerprint,
        micros(run.begun_at),
        run.known,
        run.parcels,
        *(getattr(run.tally, name) for name in TALLY),
        micros(run.due_at),
        micros(run.ended_at),
        run.message,
        run.holder,
        micros(run.leased_until),
        run.fence,
    )


def run_of_row(row: Row) -> Run:
    """Read what `run_row` wrote."""
    run_id, source_id, number, full, started_at, since, status, phase, page_cursor, fingerprint, *rest = row
    begun_at, known, parcels, *counts = rest[: 3 + len(TALLY)]
    due_at, ended_at, message, holder, leased_until, fence = rest[3 + len(TALLY) :]
    return Run(
        run_id=RunId(run_id),
        source_id=SourceId(source_id),
        number=number,
        full=bool(full),
        started_at=from_micros(started_at),
        since=moment(since),
        status=RunStatus(status),
        phase=Phase(phase),
        page_cursor=page_cursor,
        fingerprint=bytes(fingerprint),
        begun_at=moment(begun_at),
        known=known,
        parcels=parcels,
        tally=Tally(**dict(zip(TALLY, counts, strict=True))),
        due_at=moment(due_at),
        ended_at=moment(ended_at),
        message=message,
        holder=holder,
        leased_until=moment(leased_until),
        fence=fence,
    )


def micros(at: datetime | None) -> int | None:
    """A time as it lies in a column."""
    return None if at is None else to_micros(at)


def moment(found: Any) -> datetime | None:
    """A time out of a column."""
    return None if found is None else from_micros(found)

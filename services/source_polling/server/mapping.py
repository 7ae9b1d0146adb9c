"""Protobuf to domain and back."""

from dataclasses import replace
from datetime import datetime, timedelta

from contactsync.source_polling.v1 import run_pb2, source_pb2
from contactsync.source_polling.v1 import source_polling_service_pb2 as wire
from google.protobuf.duration_pb2 import Duration

from libs.stamps import stamp_of
from services.source_polling.domain.record import Skip
from services.source_polling.domain.run import Run, RunStatus
from services.source_polling.domain.source import Credentials, Fuse, Retry, Schedule, Source, SourceId, SourceKind

KINDS = {
    SourceKind.CUSTOM: source_pb2.SOURCE_KIND_CUSTOM,
    SourceKind.CONNECT: source_pb2.SOURCE_KIND_CONNECT,
    SourceKind.TELECRM: source_pb2.SOURCE_KIND_TELECRM,
}
STATUSES = {
    RunStatus.RUNNING: run_pb2.RUN_STATUS_RUNNING,
    RunStatus.WAITING: run_pb2.RUN_STATUS_WAITING,
    RunStatus.COMPLETED: run_pb2.RUN_STATUS_COMPLETED,
    RunStatus.FAILED: run_pb2.RUN_STATUS_FAILED,
    RunStatus.HELD: run_pb2.RUN_STATUS_HELD,
}
_KIND_OF = {number: kind for kind, number in KINDS.items()}
_RETRY, _SCHEDULE, _FUSE = Retry(), Schedule(), Fuse()
_PAGE_SIZE, _MAX_PAGES = 100, 10_000


def read_new(request: wire.CreateSourceRequest, *, now: datetime) -> Source:
    """Read a source as asked for; the contract let no unknown kind in. Its id is made later."""
    kind = _KIND_OF[request.kind]
    blank = Source(
        source_id=SourceId(""), name="", kind=kind, url="", credentials=Credentials(), workspace_id="", created_at=now
    )
    return _with_secrets(_with_settings(blank, request.settings), request.secrets)


def changed(known: Source, request: wire.UpdateSourceRequest) -> Source:
    """The source with what the request gives."""
    settled = _with_settings(known, request.settings) if request.HasField("settings") else known
    return _with_secrets(settled, request.secrets)


def _with_settings(source: Source, settings: source_pb2.SourceSettings) -> Source:
    known = source.credentials
    return replace(
        source,
        name=settings.name or source.kind.value,
        url=settings.url,
        credentials=replace(known, client_id=settings.client_id, enterprise_id=settings.enterprise_id),
        workspace_id=settings.workspace_id,
        destination_ids=tuple(settings.destination_ids),
        default_region=settings.default_region,
        page_size=settings.page_size or _PAGE_SIZE,
        max_pages=settings.max_pages or _MAX_PAGES,
        rate=settings.rate,
        retry=_read_retry(settings.retry),
        schedule=Schedule(interval=settings.interval.ToTimedelta() or _SCHEDULE.interval, cron=settings.cron),
        fuse=Fuse(
            share=settings.fuse.share or _FUSE.share,
            count=settings.fuse.count if settings.fuse.HasField("count") else _FUSE.count,
        ),
    )


def _read_retry(retry: source_pb2.PageRetry) -> Retry:
    """Zero means the default."""
    return Retry(
        first_delay=retry.first_delay.ToTimedelta() or _RETRY.first_delay,
        max_delay=retry.max_delay.ToTimedelta() or _RETRY.max_delay,
        max_attempts=retry.max_attempts or _RETRY.max_attempts,
        timeout=retry.timeout.ToTimedelta() or _RETRY.timeout,
    )


def _with_secrets(source: Source, secrets: source_pb2.SourceSecrets) -> Source:
    known = source.credentials
    return replace(
        source,
        credentials=replace(
            known,
            client_secret=secrets.client_secret or known.client_secret,
            token=secrets.token or known.token,
            api_key=secrets.api_key or known.api_key,
        ),
    )


def write_source(source: Source) -> source_pb2.Source:
    """Write a source without its secrets."""
    return source_pb2.Source(
        id=source.source_id,
        kind=KINDS[source.kind],
        settings=_write_settings(source),
        enabled=source.enabled,
        next_run_at=None if source.next_run_at is None else stamp_of(source.next_run_at),
        cursor=None if source.cursor is None else stamp_of(source.cursor),
        created_at=stamp_of(source.created_at),
    )


def _write_settings(source: Source) -> source_pb2.SourceSettings:
    retry = source.retry
    return source_pb2.SourceSettings(
        name=source.name,
        url=source.url,
        workspace_id=source.workspace_id,
        destination_ids=source.destination_ids,
        default_region=source.default_region,
        client_id=source.credentials.client_id,
        enterprise_id=source.credentials.enterprise_id,
        interval=_duration(source.schedule.interval),
        cron=source.schedule.cron,
        page_size=source.page_size,
        max_pages=source.max_pages,
        rate=source.rate,
        retry=source_pb2.PageRetry(
            first_delay=_duration(retry.first_delay),
            max_delay=_duration(retry.max_delay),
            max_attempts=retry.max_attempts,
            timeout=_duration(retry.timeout),
        ),
        fuse=source_pb2.DeleteFuse(share=source.fuse.share, count=source.fuse.count),
    )


def write_run(run: Run, *, now: datetime) -> run_pb2.Run:
    """Write a run."""
    tally = run.tally
    message = run_pb2.Run(
        run_id=run.run_id,
        source_id=run.source_id,
        status=STATUSES[run.status],
        full=run.full,
        pages=tally.pages,
        seen=tally.seen,
        changed=tally.changed,
        unchanged=tally.unchanged,
        echoes=tally.echoes,
        skipped=tally.skipped,
        deleted=tally.deleted,
        held_deletes=tally.held_deletes,
        tokens=tally.tokens,
        retries=tally.retries,
        duration_s=run.duration(now).total_seconds(),
        message=run.message,
    )
    waits_until = run.due_at if run.status is RunStatus.WAITING else None
    times = {"since": run.since, "started_at": run.started_at, "ended_at": run.ended_at, "waits_until": waits_until}
    for name, at in times.items():
        if at is not None:
            getattr(message, name).CopyFrom(stamp_of(at))
    return message


def write_skip(skip: Skip) -> run_pb2.SkippedRow:
    """Write a row that was left out."""
    return run_pb2.SkippedRow(external_id=skip.external_id, reason=skip.reason)


def _duration(span: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(span)
    return duration

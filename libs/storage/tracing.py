"""A database whose calls are spans, where the trace that makes them is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from libs.measures import Measures
from libs.storage.database import Database, Unit
from libs.storage.statement import Row, Statement

T = TypeVar("T")
_TRACER = trace.get_tracer("libs.storage")


def traced(database: Database, *, system: str, namespace: str) -> Database:
    """With spans, where this process records any: as it is otherwise. Its telemetry is set up first.

    `system` and `namespace` are as OpenTelemetry's conventions have them.
    """
    records = hasattr(trace.get_tracer_provider(), "sampler")  # the SDK has one; its import would cost 5 MB to ask
    return _TracedDatabase(database, system=system, namespace=namespace) if records else database


class _TracedDatabase:
    """Adds to a call of a trace that nobody records one look at the current span. Of a statement nothing is told."""

    def __init__(self, database: Database, *, system: str, namespace: str) -> None:
        self._database = database
        self._attributes = {"db.system.name": system, "db.namespace": namespace}

    @property
    def measures(self) -> Measures:
        return self._database.measures

    async def write(self, unit: Unit[T]) -> T:
        if not _is_recorded():
            return await self._database.write(unit)
        with self._span("write"):
            return await self._database.write(unit)

    def write_later(self, unit: Unit[object]) -> None:
        self._database.write_later(unit)

    async def fetch(self, statement: Statement, row: Row = ()) -> list[tuple[Any, ...]]:
        if not _is_recorded():
            return await self._database.fetch(statement, row)
        with self._span("fetch"):
            return await self._database.fetch(statement, row)

    async def fetch_one(self, statement: Statement, row: Row = ()) -> tuple[Any, ...] | None:
        if not _is_recorded():
            return await self._database.fetch_one(statement, row)
        with self._span("fetch"):
            return await self._database.fetch_one(statement, row)

    async def check(self) -> None:
        await self._database.check()

    async def close(self) -> None:
        await self._database.close()

    @contextmanager
    def _span(self, operation: str) -> Iterator[None]:
        with _TRACER.start_as_current_span(
            f"{operation} {self._attributes['db.namespace']}",
            kind=SpanKind.CLIENT,
            attributes={**self._attributes, "db.operation.name": operation},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as failure:
                # By its type alone: the text may hold what was written.
                kind = type(failure).__qualname__
                span.set_attribute("error.type", kind)
                span.set_status(Status(StatusCode.ERROR, kind))
                raise


def _is_recorded() -> bool:
    return trace.get_current_span().get_span_context().trace_flags.sampled

"""One JSON line per fact, ours and those of libraries alike, without contact data."""

import logging
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, TextIO, cast

import orjson
import structlog
from opentelemetry import baggage, trace
from structlog.typing import FilteringBoundLogger, Processor

from libs.telemetry.lines import LineWriter
from libs.telemetry.masking import Masked, mask_text

_log = structlog.get_logger("libs.telemetry")
_OURS = logging.getLogger("contactsync")
"""Holds the level of what is ours, so that it can be set while the process runs (`LogService`)."""

_NUMBERS = {name.lower(): number for name, number in logging.getLevelNamesMapping().items()}
# Written by us, and of a known shape; masking would damage them.
_SAFE = frozenset({"timestamp", "level", "logger", "trace_id", "span_id", "service"})


def configure_logs(*, service: str, level: str, stream: TextIO) -> None:
    """Set up structlog and stdlib logging on `stream`. Libraries are heard from WARNING up, at level DEBUG from INFO.

    Never below: aiosqlite's debug lines hold the values of every statement. The level of logger `contactsync` counts,
    now and whenever it is changed.
    """
    _OURS.setLevel(level.upper())
    writer = LineWriter(stream)
    before: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(service),
        add_context,
    ]
    after = _rendering(stream)
    structlog.configure(
        processors=[structlog.processors.add_log_level, drop_quiet, *before, *after],
        wrapper_class=_sparing(structlog.make_filtering_bound_logger(logging.DEBUG)),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    _route_libraries(stream, before, after)
    _route_the_unexpected()


def _sparing(logger: type[FilteringBoundLogger]) -> type[FilteringBoundLogger]:
    """Spare a debug line that nobody hears the way through the processors: there is one for every delivery."""

    def debug(self: FilteringBoundLogger, event: str, *args: Any, **values: Any) -> Any:
        return logger.debug(self, event, *args, **values) if _OURS.level <= logging.DEBUG else None

    return cast("type[FilteringBoundLogger]", type("SparingLogger", (logger,), {"debug": debug}))


def drop_quiet(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is below the level of the moment."""
    if _NUMBERS[event["level"]] < _OURS.level:
        raise structlog.DropEvent
    return event


def _named(service: str) -> Processor:
    def add_names(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        record = event.get("_record")
        if record is not None:
            event["logger"] = record.name
        return event

    return add_names


def add_context(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add trace_id, span_id and correlation_id of the current OpenTelemetry context, where it has them."""
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        event["trace_id"] = f"{span.trace_id:032x}"
        event["span_id"] = f"{span.span_id:016x}"
    if correlation_id := baggage.get_baggage("correlation_id"):
        event.setdefault("correlation_id", correlation_id)
    return event


def mask_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask every text that is not an id: an exception of a library may quote what it choked on."""
    for key, value in event.items():
        if key not in _SAFE and not key.endswith("_id") and not key.startswith("_"):
            event[key] = _masked(value)
    return event


def _masked(value: object) -> object:
    match value:
        case bool() | int() | float() | None:
            return value
        case dict():
            return {str(key): _masked(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_masked(item) for item in value]
        case Masked():
            return str(value)
        case _:
            return mask_text(str(value))


def _rendering(stream: TextIO) -> list[Processor]:
    if stream.isatty():
        formatter = structlog.dev.plain_traceback
        console = structlog.dev.ConsoleRenderer(exception_formatter=formatter)
        return [structlog.processors.format_exc_info, mask_values, console]
    return [structlog.processors.format_exc_info, mask_values, structlog.processors.JSONRenderer(_to_json)]


def _to_json(event: MutableMapping[str, Any], **_: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _is_loud(record: logging.LogRecord) -> bool:
    """Whether a library's line is told at our level of the moment."""
    ours = _OURS.level
    return record.levelno >= (logging.INFO if ours == logging.DEBUG else max(ours, logging.WARNING))


def _route_libraries(stream: TextIO, before: list[Processor], after: list[Processor]) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(_is_loud)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.processors.add_log_level, *before],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *after],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)


def _route_the_unexpected() -> None:
    def log_uncaught(kind: type[BaseException], failure: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, failure, traceback)
        else:
            _log.critical("uncaught_exception", exc_info=failure)

    def log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        _log.critical("uncaught_exception", thread=getattr(args.thread, "name", None), exc_info=args.exc_value)

    sys.excepthook = log_uncaught
    threading.excepthook = log_uncaught_in_thread

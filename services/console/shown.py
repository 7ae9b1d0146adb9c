"""How facts look: moments, spans of time, numbers and lines."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.console.words import Speaker

_UNITS = ((86_400, "span.days"), (3_600, "span.hours"), (60, "span.minutes"), (1, "span.seconds"))


def moment(message: Message, field: str) -> datetime | None:
    """A timestamp of a message. None: it is absent."""
    if not message.HasField(field):
        return None
    stamp: Timestamp = getattr(message, field)
    return stamp.ToDatetime(tzinfo=UTC)


def span(say: Speaker, length: timedelta) -> str:
    """A length of time in its largest unit: "3 min". Below a second: "0 s"."""
    seconds = max(0, round(length.total_seconds()))
    size, word = next(((size, word) for size, word in _UNITS if seconds >= size), _UNITS[-1])
    return say(word, n=say.number(seconds // size))


def brief(say: Speaker, length: timedelta) -> str:
    """As span, but below ten seconds to the millisecond: "340 ms", "2.5 s"."""
    seconds = length.total_seconds()
    if seconds < 1:
        return say("span.milliseconds", n=say.number(max(0, round(seconds * 1000))))
    return say("span.seconds", n=say.number(round(seconds, 1))) if seconds < 10 else span(say, length)


def hint(say: Speaker, at: datetime, *, now: datetime) -> str:
    """How far a moment is: "3 min ago", "in 20 s"."""
    away = at - now
    if abs(away) < timedelta(seconds=1):
        return say("when.now")
    return say("when.in", span=span(say, away)) if away > timedelta(0) else say("when.ago", span=span(say, -away))


def utc(at: datetime) -> str:
    """A moment to the second: "2026-11-22 08:31:12"."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def line(values: Sequence[int], *, width: int, height: int, top: int) -> str:
    """The values from left to right as points of a polyline in a box: `top` at its top, 0 on its floor."""
    top = max(1, top)
    step = width / max(1, len(values) - 1)
    return " ".join(f"{place * step:.1f},{height - value / top * height:.1f}" for place, value in enumerate(values))


def trace_url(jaeger_url: str, *, correlation_id: str = "", trace_id: str = "") -> str:
    """Where Jaeger shows a trace, or all of a correlation id. Empty: Jaeger is not known, or nothing is asked."""
    if not jaeger_url:
        return ""
    if trace_id:
        return f"{jaeger_url}/trace/{quote(trace_id, safe='')}"
    return traces_url(jaeger_url, "gateway", "correlation_id", correlation_id)


def traces_url(jaeger_url: str, service: str, tag: str, value: str) -> str:
    """Where Jaeger finds the traces of two days in which a service's span has the tag. Empty: as above."""
    if not (jaeger_url and value):
        return ""
    tags = json.dumps({tag: value}, separators=(",", ":"))
    return f"{jaeger_url}/search?{urlencode({'service': service, 'lookback': '2d', 'tags': tags})}"

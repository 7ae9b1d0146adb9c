"""Our instruments in OpenTelemetry's words. Imports its SDK, so it is imported only where somebody reads."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.metadata import version as version_of
from time import time_ns
from typing import TypeAlias, assert_never

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import Exemplar, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricReader,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.metrics.export import Histogram as Spread
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from libs.measures import Buckets, Counter, Gauge, Histogram, Instrument, Labels
from libs.telemetry.metrics.gathering import Gathered

_SCOPE = InstrumentationScope("contactsync")
Callback: TypeAlias = Callable[[CallbackOptions], Iterable[Observation]]


def provide(gathered: Gathered, reader: MetricReader) -> MeterProvider:
    """Tell a reader all but the histograms, which OpenTelemetry takes no totals of: those it adds by itself."""
    provider = MeterProvider(metric_readers=[reader], resource=describe(gathered), shutdown_on_exit=False)
    meter = provider.get_meter(_SCOPE.name)
    for instrument in gathered.instruments():
        _observe(meter, instrument)
    return provider


def describe(gathered: Gathered) -> Resource:
    """Tell what all numbers of a process have in common."""
    return Resource.create(
        {
            "service.namespace": "contactsync",
            "service.name": gathered.service,
            "service.version": gathered.version or version_of("contactsync"),
        }
    )


def _observe(meter: Meter, instrument: Instrument) -> None:
    about = instrument.about
    match instrument:
        case Counter():
            callbacks = [_reading(about.labels, partial(_counted, instrument))]
            meter.create_observable_counter(about.name, callbacks, unit=about.unit, description=about.text)
        case Gauge():
            callbacks = [_reading(about.labels, partial(_shown, instrument))]
            meter.create_observable_gauge(about.name, callbacks, unit=about.unit, description=about.text)
        case Histogram():
            pass
        case _:
            assert_never(instrument)


def _counted(counter: Counter) -> list[tuple[Labels, float]]:
    return list(counter.counts.items())


def _shown(gauge: Gauge) -> list[tuple[Labels, float]]:
    return list(gauge.values.items())


def _reading(names: Labels, read: Callable[[], Iterable[tuple[Labels, float]]]) -> Callback:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(zip(names, labels, strict=True))) for labels, value in read()]

    return observe


def with_histograms(data: MetricsData, gathered: Gathered) -> MetricsData:
    """Add what our own buckets hold."""
    now = time_ns()
    metrics = [_spread(each, gathered.began_ns, now) for each in gathered.histograms()]
    scope = ScopeMetrics(scope=_SCOPE, metrics=metrics, schema_url="")
    first, *others = data.resource_metrics
    first = ResourceMetrics(
        resource=first.resource, scope_metrics=[_joined(first.scope_metrics, scope)], schema_url=first.schema_url
    )
    return MetricsData(resource_metrics=[first, *others])


def _joined(scopes: Sequence[ScopeMetrics], added: ScopeMetrics) -> ScopeMetrics:
    """One scope of one name: receivers take a second for a repetition."""
    metrics = [metric for scope in scopes for metric in scope.metrics]
    return ScopeMetrics(scope=added.scope, metrics=[*metrics, *added.metrics], schema_url=added.schema_url)


def _spread(histogram: Histogram, began_ns: int, now_ns: int) -> Metric:
    about = histogram.about
    points = [_point(histogram, labels, buckets, began_ns, now_ns) for labels, buckets in list(histogram.rows.items())]
    data = Spread(data_points=points, aggregation_temporality=AggregationTemporality.CUMULATIVE)
    return Metric(name=about.name, description=about.text, unit=about.unit, data=data)


def _point(histogram: Histogram, labels: Labels, buckets: Buckets, began_ns: int, now_ns: int) -> HistogramDataPoint:
    counts = list(buckets.counts)
    return HistogramDataPoint(
        attributes=dict(zip(histogram.about.labels, labels, strict=True)),
        start_time_unix_nano=began_ns,
        time_unix_nano=now_ns,
        count=sum(counts),
        sum=buckets.total,
        bucket_counts=counts,
        explicit_bounds=histogram.bounds,
        min=None,  # type: ignore[arg-type]  # optional in OTLP, and said so by None in its encoder; we keep none
        max=None,  # type: ignore[arg-type]  # as above
        exemplars=[
            Exemplar({}, example.value, example.at_ns, span_id=example.span_id, trace_id=example.trace_id)
            for example in dict(buckets.examples).values()
        ],
    )

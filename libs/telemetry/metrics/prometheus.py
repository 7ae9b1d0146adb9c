"""The numbers as Prometheus reads them, with exemplars, which OpenTelemetry's exporter leaves out."""

from collections.abc import Iterable, Iterator
from typing import Any

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics.export import MetricsData
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample
from typing_extensions import override

from libs.measures import About, Histogram
from libs.telemetry.metrics.gathering import Gathered
from libs.telemetry.metrics.model import provide, with_histograms

_UNITS = {"s": "_seconds", "By": "_bytes"}
_Place = tuple[str, frozenset[tuple[str, str]]]
"""Where an exemplar belongs: the sample's name and labels."""


class Page:
    """What `/metrics` shows. Imported and made with the first question."""

    def __init__(self, gathered: Gathered) -> None:
        read = CollectorRegistry()
        self._provider = provide(gathered, _Reader(gathered, read))
        self._shown = CollectorRegistry()
        self._shown.register(_Whole(gathered, read))

    def render(self, accept: str) -> tuple[bytes, str]:
        """Give the page and its content type, in the form that `accept` asks for. Takes milliseconds."""
        encode, content_type = choose_encoder(accept)
        return encode(self._shown), content_type


class _Reader(PrometheusMetricReader):
    def __init__(self, gathered: Gathered, registry: CollectorRegistry) -> None:
        super().__init__(registry=registry, scope_info_enabled=False)
        self._gathered = gathered

    @override
    def _receive_metrics(self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any) -> None:
        super()._receive_metrics(with_histograms(metrics_data, self._gathered), timeout_millis, **kwargs)


class _Whole(Collector):
    """Adds exemplars, and the names of what has not been counted yet: who writes a rule sees what there is."""

    def __init__(self, gathered: Gathered, read: CollectorRegistry) -> None:
        self._gathered = gathered
        self._read = read

    @override
    def collect(self) -> Iterable[Metric]:
        exemplars = dict(_exemplars(self._gathered.histograms()))
        counted = set()
        for family in self._read.collect():
            counted.add(family.name)
            if family.type == "histogram":
                family.samples = [_annotated(sample, exemplars) for sample in family.samples]
            yield family
        for instrument in self._gathered.instruments():
            if (name := family_of(instrument.about)) not in counted:
                yield Metric(name, instrument.about.text, type(instrument).__name__.lower())


def _annotated(sample: Sample, exemplars: dict[_Place, Exemplar]) -> Sample:
    return sample._replace(exemplar=exemplars.get((sample.name, frozenset(sample.labels.items()))))


def _exemplars(histograms: Iterable[Histogram]) -> Iterator[tuple[_Place, Exemplar]]:
    for histogram in histograms:
        about = histogram.about
        name = f"{family_of(about)}_bucket"
        ends = [*(str(bound) for bound in histogram.bounds), "+Inf"]
        for labels, buckets in list(histogram.rows.items()):
            known = dict(zip(map(shown, about.labels), labels, strict=True))
            for at, example in dict(buckets.examples).items():
                ids = {"trace_id": f"{example.trace_id:032x}", "span_id": f"{example.span_id:016x}"}
                place = name, frozenset((known | {"le": ends[at]}).items())
                yield place, Exemplar(ids, example.value, example.at_ns / 1e9)


def family_of(about: About) -> str:
    """Name an instrument as Prometheus does; counters get `_total` behind it, histograms `_bucket` and so on."""
    return shown(about.name) + _UNITS.get(about.unit, "")


def shown(name: str) -> str:
    """Spell a name of OpenTelemetry as Prometheus does."""
    return name.replace(".", "_")

"""``contactsync metrics``: every process's numbers on one page, without a Prometheus."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from libs.cli.api import running_hub_of
from libs.cli.options import Data, Json
from libs.cli.output import err, print_json

_SECONDS = 5
_GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class _Number:
    process: str
    sample: Sample

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "process": self.process,
            "name": self.sample.name,
            "labels": dict(self.sample.labels),
            "value": self.sample.value,
        }


def metrics(
    beginning: Annotated[str, typer.Argument(help="Only numbers whose names begin so, such as contactsync_.")] = "",
    *,
    with_gateway: Annotated[bool, typer.Option("--gateway", help="Envoy's own numbers too; they are many.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show what every process of the running hub counts; exit code 1 when one does not answer."""
    _, facts = running_hub_of(data)
    silent: list[str] = []
    urls = {name: url for name, url in facts["metrics"].items() if with_gateway or name != _GATEWAY}
    numbers = [each for each in _read_all(urls, silent) if each.sample.name.startswith(beginning)]
    if as_json:
        print_json([each.shown for each in numbers])
    else:
        for each in filter(_is_for_people, numbers):
            typer.echo(f"{each.process:<15} {_told(each.sample)} {each.sample.value:g}")
    for name in silent:
        err.print(f"{name} does not answer at {urls[name]}; see log/{name}.log in the data folder.")
    raise typer.Exit(code=bool(silent))


def _read_all(urls: dict[str, str], silent: list[str]) -> Iterator[_Number]:
    for name, url in urls.items():
        try:
            text = httpx.get(url, timeout=_SECONDS, trust_env=False).text
        except httpx.TransportError:
            silent.append(name)
            continue
        for family in text_string_to_metric_families(text):
            yield from (_Number(name, sample) for sample in family.samples)


def _is_for_people(number: _Number) -> bool:
    """Not one of the many buckets, and not what only a collector wants."""
    return not number.sample.name.endswith("_bucket") and number.sample.name != "target_info"


def _told(sample: Sample) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
    return f"{sample.name}{{{labels}}}" if labels else sample.name

"""``contactsync up``: the whole hub on this machine."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from gateway.tracing import Sampling
from libs.cli.api import DEFAULT_DATA
from libs.cli.options import DATA_VARIABLE, JAEGER_VARIABLE
from libs.cli.output import print_json
from libs.cli.postgres import Postgres, PostgresFile, read_postgres
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.shape import Shape
from libs.lean import settle_memory

_POLL_SECONDS = 1.0


def up(
    *,
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="Where everything is kept.")] = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the REST APIs; 0: any free one.")] = 8080,
    otlp: Annotated[str, typer.Option(help="Collector that gets the traces over OTLP gRPC: http://host:4317.")] = "",
    jaeger: Annotated[
        bool, typer.Option(help="Run a Jaeger for the traces, if there is one on PATH and no --otlp.")
    ] = True,
    jaeger_url: Annotated[
        str, typer.Option(envvar=JAEGER_VARIABLE, help="Where browsers find Jaeger, if it is not the one that is run.")
    ] = "",
    trace_rate: Annotated[float, typer.Option(min=0, help="So many requests a second are traced.")] = 20.0,
    trace_share: Annotated[float, typer.Option(min=0, max=1, help="The part that is traced of those beyond.")] = 0.01,
    trusted_hops: Annotated[
        int, typer.Option(min=0, max=10, help="Proxies in front whose X-Forwarded-For is believed.")
    ] = 0,
    replicas: Annotated[int, typer.Option(min=1, max=16, help="Processes of each service; needs --postgres.")] = 1,
    postgres: Postgres = "",
    postgres_file: PostgresFile = None,
    nats_cluster: Annotated[
        bool, typer.Option("--nats-cluster", help="Three JetStream servers instead of one.")
    ] = False,
    tls: Annotated[bool, typer.Option("--tls", help="The hub's processes speak TLS with each other.")] = False,
    https: Annotated[str, typer.Option(metavar="HOST:PORT", help="Serve HTTPS there too; needs a certificate.")] = "",
    https_cert: Annotated[Path | None, typer.Option("--tls-cert", help="PEM: the certificate and its chain.")] = None,
    https_key: Annotated[Path | None, typer.Option("--tls-key", help="PEM: its private key.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready line as JSON.")] = False,
) -> None:
    """Start the hub and keep it running until Ctrl-C or SIGTERM."""
    from libs.cli.stack.certificates import listen_outside  # noqa: PLC0415 — as below
    from libs.cli.stack.hub import running_hub  # noqa: PLC0415 — imports gRPC, which no other subcommand needs
    from libs.cli.stack.traces import choose_tracing  # noqa: PLC0415 — as above

    stop = StopSignal()
    shape = Shape(
        replicas=replicas, postgres=read_postgres(postgres, postgres_file), nats_cluster=nats_cluster, tls=tls
    )
    sampling = Sampling(rate=trace_rate, share=trace_share)
    tracing = choose_tracing(otlp=otlp, jaeger_url=jaeger_url, jaeger=jaeger, sampling=sampling)
    outside = listen_outside(data, https, https_cert, https_key)
    running = running_hub(data, port=port, shape=shape, tracing=tracing, trusted_hops=trusted_hops, outside=outside)
    with suppress(KeyboardInterrupt), running as hub:
        if as_json:
            facts = {"url": hub.url, "credentials": str(hub.plan.folder.credentials), "jaeger_url": hub.plan.jaeger_url}
            print_json(facts)
        else:
            traces = f", traces at {hub.plan.jaeger_url}" if hub.plan.jaeger_url else ""
            keys = hub.plan.folder.credentials
            typer.echo(f"contactsync is ready at {hub.url} (keys in {keys}{traces}; Ctrl-C stops it)")
        settle_memory()
        while hub.is_alive():
            hub.renew_certificates()
            time.sleep(_POLL_SECONDS)
    if not stop.asked:
        raise CannotStart("the supervisor ended by itself", remedy="log/supervisor.log in the data folder says why.")


class StopSignal:
    """Turns the first SIGINT or SIGTERM into KeyboardInterrupt; further ones do not disturb the stop that follows."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._remember)
        signal.signal(signal.SIGTERM, self._remember)

    def _remember(self, _number: int, _frame: FrameType | None) -> None:
        if not self.asked:
            self.asked = True
            raise KeyboardInterrupt

"""``contactsync up``: the whole hub on this machine."""

import signal
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from libs.cli.api import DEFAULT_DATA
from libs.cli.options import DATA_VARIABLE
from libs.cli.output import print_json
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.shape import Shape

_POLL_SECONDS = 0.5


def up(
    *,
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="Where everything is kept.")] = DEFAULT_DATA,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the REST APIs; 0: any free one.")] = 8080,
    otlp: Annotated[str, typer.Option(help="OTLP gRPC endpoint for traces, http://host:4317; empty: none.")] = "",
    trace_share: Annotated[float, typer.Option(min=0, max=1, help="The part of the requests that is traced.")] = 1.0,
    trusted_hops: Annotated[
        int, typer.Option(min=0, max=10, help="Proxies in front whose X-Forwarded-For is believed.")
    ] = 0,
    replicas: Annotated[int, typer.Option(min=1, max=16, help="Processes of each service; needs --postgres.")] = 1,
    postgres: Annotated[
        str, typer.Option(envvar="CONTACTSYNC_POSTGRES", help="postgresql://… instead of SQLite files.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready line as JSON.")] = False,
) -> None:
    """Start the hub and keep it running until Ctrl-C or SIGTERM."""
    from libs.cli.stack.hub import running_hub  # noqa: PLC0415 — imports gRPC, which no other subcommand needs

    stop = StopSignal()
    shape = Shape(replicas=replicas, postgres=postgres)
    running = running_hub(
        data, port=port, shape=shape, otlp_endpoint=otlp, trace_share=trace_share, trusted_hops=trusted_hops
    )
    with suppress(KeyboardInterrupt), running as hub:
        if as_json:
            print_json({"url": hub.url, "credentials": str(hub.plan.folder.credentials)})
        else:
            typer.echo(f"contactsync is ready at {hub.url} (keys in {hub.plan.folder.credentials}; Ctrl-C stops it)")
        while hub.is_alive():
            time.sleep(_POLL_SECONDS)
    if not stop.asked:
        raise CannotStart("the supervisor ended by itself", remedy="The log folder under the data folder says why.")


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

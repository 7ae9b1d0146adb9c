"""``contactsync gateway``: the gateway's configuration."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.config import GatewaySettings, render
from libs.cli.stack.plan import SERVICES

app = typer.Typer(no_args_is_help=True, help="The gateway: render its configuration.")
CONTAINER_PORT = 9000
CONTAINER_FILES = Path("/etc/contactsync")


@app.callback()
def _only_groups() -> None:
    """Keeps ``render`` a subcommand while it is the only one."""


@app.command("render")
def render_for_containers(
    otlp: Annotated[str, typer.Option(help="OTLP gRPC endpoint for traces; empty: none.")] = "http://jaeger:4317",
) -> None:
    """Print the configuration for containers: the committed gateway/envoy.yaml."""
    typer.echo(container_config(otlp), nl=False)


def container_config(otlp: str) -> str:
    """The configuration with each service at its own host name, as docker-compose.yml names them."""
    settings = GatewaySettings(
        listen="0.0.0.0:8080",
        admin="127.0.0.1:9901",
        upstreams={service: [f"{service}:{CONTAINER_PORT}"] for service in SERVICES},
        otlp_endpoint=otlp,
        descriptor_set=CONTAINER_FILES / "contracts.binpb",
        status_script=CONTAINER_FILES / "status.lua",
    )
    return render(settings)

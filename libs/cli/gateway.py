"""``contactsync gateway``: the files that containers are given, made from the contracts and the same code as ``up``."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.config import GatewaySettings, render
from libs.bus import BusNode, render_nats_config
from libs.cli.stack.plan import BUS_ACCOUNTS, CONSOLE, SERVICES

app = typer.Typer(no_args_is_help=True, help="The gateway: render its configuration.")
COMMITTED = Path(__file__).resolve().parents[2] / "gateway"
CONTAINER_PORT = 9000
_NODE = BusNode(
    name="$NATS_NODE",
    listen="0.0.0.0:6222",
    routes=tuple(f"nats-{number}:6222" for number in (1, 2, 3)),
    password="$NATS_ROUTE_PASSWORD",  # noqa: S106 - the name of a variable
)
_CONTAINER_FILES = Path("/etc/contactsync")


@app.callback()
def _only_groups() -> None:
    """Keeps ``render`` a subcommand while it is the only one."""


@app.command("render")
def render_for_containers(
    into: Annotated[Path, typer.Option(help="Folder for envoy.yaml and the bus's files.", file_okay=False)] = COMMITTED,
) -> None:
    """Write the configuration that docker-compose.yml mounts."""
    for name, text in container_files().items():
        (into / name).write_text(text)


def container_files() -> dict[str, str]:
    """envoy.yaml and nats.conf by name: each service at its own host name, as docker-compose.yml names them."""
    settings = GatewaySettings(
        listen="0.0.0.0:8080",
        admin="127.0.0.1:9901",
        statistics="0.0.0.0:9902",
        upstreams={service: [f"{service}:{CONTAINER_PORT}"] for service in SERVICES},
        console=f"{CONSOLE}:{CONTAINER_PORT}",
        otlp_endpoint="http://jaeger:4317",
        descriptor_set=_CONTAINER_FILES / "contracts.binpb",
        status_script=_CONTAINER_FILES / "status.lua",
        documents=_CONTAINER_FILES / "openapi",
    )
    return {"envoy.yaml": render(settings), "nats.conf": _nats_config(), "nats-cluster.conf": _nats_config(_NODE)}


def _nats_config(node: BusNode | None = None) -> str:
    """The server's configuration with passwords left to the environment, which it expands where they stand unquoted."""
    variables = {name: f"$NATS_{name.upper()}_PASSWORD" for name in BUS_ACCOUNTS}
    users = [BUS_ACCOUNTS[name].user(variable) for name, variable in variables.items()]
    text = render_nats_config(
        store_dir=Path("/data"), listen="0.0.0.0:4222", monitor="127.0.0.1:8222", users=users, node=node
    )
    for number, route in enumerate(node.routes if node else (), start=1):
        # Expanded as a whole only: the environment has the URL with its password.
        text = text.replace(f'"{_NODE.route_url(route)}"', f"$NATS_ROUTES_{number}")
    for variable in (*variables.values(), _NODE.password):
        text = text.replace(f'"{variable}"', variable)
    return text

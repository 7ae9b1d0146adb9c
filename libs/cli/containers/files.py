"""The configuration of the gateway and of the bus in containers."""

from dataclasses import replace
from pathlib import Path

from gateway.certificates import Certificate, Inside, secret_file
from gateway.config import GatewaySettings, render
from libs.bus import BusNode, render_nats_config
from libs.cli.containers.environment import CERTIFICATES, NATS_HOSTS, PORT, SECRETS, host_of
from libs.cli.stack.plan import BUS_ACCOUNTS, CONSOLE, SERVICES
from libs.rpc.tls import identity_of

FOLDER = Path("/etc/contactsync")
NODE = BusNode(
    name="$NATS_NODE",
    listen="0.0.0.0:6222",
    routes=tuple(f"{host}:6222" for host in NATS_HOSTS),
    password="$NATS_ROUTE_PASSWORD",  # noqa: S106 - the name of a variable
)
_VARIABLES = "nats_accounts"
"""The file in SECRETS that gives a value to what stands unquoted in the bus's configuration."""


def gateway_settings() -> GatewaySettings:
    """As in docker-compose.yml, with TLS to the services."""
    own = Certificate(cert=CERTIFICATES / "tls.pem", key=CERTIFICATES / "tls.key", secret=FOLDER / "inside.yaml")
    return GatewaySettings(
        listen="0.0.0.0:8080",
        admin="127.0.0.1:9901",
        statistics="0.0.0.0:9902",
        upstreams={service: [f"{host_of(service)}:{PORT}"] for service in SERVICES},
        console=f"{CONSOLE}:{PORT}",
        otlp_endpoint="http://jaeger:4317",
        descriptor_set=FOLDER / "contracts.binpb",
        documents=FOLDER / "openapi",
        inside=Inside(ca=CERTIFICATES / "ca.pem", own=own, identity_of=identity_of),
    )


def container_files() -> dict[str, str]:
    """What docker-compose.yml and the manifests mount, by its path below ``gateway/``."""
    settings = gateway_settings()
    assert settings.inside is not None, "it is set above"
    return {
        "envoy.yaml": render(settings),
        "inside.yaml": secret_file(settings.inside.own),
        "deploy/envoy.yaml": render(replace(settings, inside=None)),
        "nats.conf": _nats_config(),
    }


def nats_variables(passwords: dict[str, str], route: str) -> str:
    """The file of variables, with these passwords of accounts, and of the routes between the servers."""
    node = replace(NODE, password=route)
    lines = {f"NATS_{name.upper()}_PASSWORD": password for name, password in passwords.items()}
    lines["NATS_ROUTE_PASSWORD"] = route
    lines |= {f"NATS_ROUTES_{number}": node.route_url(route) for number, route in enumerate(node.routes, start=1)}
    return "".join(f'{name}: "{value}"\n' for name, value in lines.items())


def _nats_config() -> str:
    """The configuration of each of the three servers: its name is in its environment, passwords are in a secret."""
    variables = {name: f"$NATS_{name.upper()}_PASSWORD" for name in BUS_ACCOUNTS}
    users = [BUS_ACCOUNTS[name].user(variable) for name, variable in variables.items()]
    text = render_nats_config(
        store_dir=Path("/data"), listen="0.0.0.0:4222", monitor="0.0.0.0:8222", users=users, node=NODE
    )
    for number, route in enumerate(NODE.routes, start=1):
        # A variable stands for a whole value only, so each has the URL with its password.
        text = text.replace(f'"{NODE.route_url(route)}"', f"$NATS_ROUTES_{number}")
    for variable in (*variables.values(), NODE.password):
        text = text.replace(f'"{variable}"', variable)
    # The server looks for it from the folder of this file.
    return f'include "../..{SECRETS / _VARIABLES}"\n{text}'

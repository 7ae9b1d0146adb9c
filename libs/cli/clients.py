"""``contactsync clients``: who may call the hub."""

from typing import Annotated, Any

import typer

from libs.cli.api import connect, segment
from libs.cli.checking import chosen
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table

app = typer.Typer(
    no_args_is_help=True, help="API clients: create, list, show, update, rotate, revoke, enable, disable."
)
ClientId = Annotated[str, typer.Argument(help="The client's id.")]


@app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Its name, for people.")],
    hmac: Annotated[bool, typer.Option("--hmac", help="Every request must be signed.")] = False,
    allow: Annotated[list[str] | None, typer.Option(help="Network it may call from, CIDR; repeatable.")] = None,
    rate: Annotated[float, typer.Option(help="Requests per second; 0: the default, 10.")] = 0,
    destination: Annotated[list[str] | None, typer.Option(help="Where its contacts go; repeatable.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="import, read or admin; repeatable.")] = None,
    region: Annotated[str, typer.Option(help="Region of national numbers; empty: RU.")] = "",
    workspace: Annotated[str, typer.Option(help="Where its contacts land; empty: the first workspace.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create a client; its key and HMAC secret are shown once."""
    settings = {
        "hmac": hmac,
        "allowed_networks": allow or [],
        "rate": rate,
        "destination_ids": destination or [],
        "scopes": _scopes(scope or []),
        "default_region": region,
        "workspace_id": workspace,
    }
    answer = connect(data, url, key, role="admin").call(
        "POST", "/admin/v1/clients", body={"name": name, "settings": settings}
    )
    shown = _with_secrets(answer)
    if as_json:
        print_json(shown)
    else:
        out.print(
            f"client {shown['id']}\napi key {shown['api_key']}"
            + (f"\nhmac secret {shown['hmac_secret']}" if hmac else "")
        )


@app.command("list")
def list_clients(*, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """List all clients."""
    clients = connect(data, url, key, role="admin").call("GET", "/admin/v1/clients")["clients"]
    if as_json:
        print_json(clients)
    else:
        print_table(clients, ["id", "name", "enabled", "created_at"])


@app.command()
def rotate(
    client_id: ClientId,
    *,
    overlap: Annotated[int, typer.Option(min=0, max=2592000, help="Seconds that the old key lives on.")] = 86400,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Make a new key; the old one, and its HMAC secret, live on for a day, or as long as is said."""
    path = f"/admin/v1/clients/{segment(client_id)}/rotate"
    answer = connect(data, url, key, role="admin").call("POST", path, body={"overlap": f"{overlap}s"})
    shown = _with_secrets(answer)
    if as_json:
        print_json(shown)
    else:
        out.print(
            f"api key {shown['api_key']}" + (f"\nhmac secret {shown['hmac_secret']}" if shown["hmac_secret"] else "")
        )


@app.command()
def revoke(
    client_id: ClientId,
    *,
    key_id: Annotated[str, typer.Option(help="The key to end; empty: all.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """End a client's keys at once."""
    path = f"/admin/v1/clients/{segment(client_id)}/revoke"
    client = connect(data, url, key, role="admin").call("POST", path, body={"key_id": key_id})["client"]
    print_json(client) if as_json else out.print(f"client {client_id}: {len(client['keys'])} keys left")


@app.command()
def update(
    client_id: ClientId,
    *,
    hmac: Annotated[bool | None, typer.Option("--hmac/--no-hmac", help="Whether every request must be signed.")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="Network it may call from, CIDR; repeatable.")] = None,
    allow_any: Annotated[bool, typer.Option("--allow-any", help="It may call from anywhere.")] = False,
    rate: Annotated[float | None, typer.Option(help="Requests per second; 0: the default, 10.")] = None,
    destination: Annotated[list[str] | None, typer.Option(help="Where its contacts go; repeatable.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="import, read or admin; repeatable.")] = None,
    region: Annotated[str | None, typer.Option(help="Region of national numbers; empty: RU.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Where its contacts land; empty: the first workspace.")] = None,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Change what is given and leave the rest; in force within 5 s. Turning signing on shows the HMAC secret once."""
    given = {
        "hmac": hmac,
        "allowed_networks": [] if allow_any else allow,
        "rate": rate,
        "destination_ids": destination,
        "scopes": _scopes(scope) if scope else None,
        "default_region": region,
        "workspace_id": workspace,
    }
    api, path = connect(data, url, key, role="admin"), f"/admin/v1/clients/{segment(client_id)}"
    settings = api.call("GET", path)["client"]["settings"]
    settings |= {name: value for name, value in given.items() if value is not None}
    answer = api.call("PATCH", path, body={"settings": settings})
    shown = {"hmac_secret": answer.get("hmac_secret", ""), "client": answer["client"]}
    if as_json:
        print_json(shown)
    else:
        out.print(
            f"client {client_id} is changed" + (f"\nhmac secret {shown['hmac_secret']}" if shown["hmac_secret"] else "")
        )


@app.command()
def show(client_id: ClientId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Show a client: its settings and limits, and what may be shown of its keys."""
    api = connect(data, url, key, role="admin")
    client = api.call("GET", f"/admin/v1/clients/{segment(client_id)}")["client"]
    print_json(client) if as_json else out.print(client)


@app.command()
def enable(client_id: ClientId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Let a client call again."""
    _switch(client_id, connect(data, url, key, role="admin"), enabled=True, as_json=as_json)


@app.command()
def disable(client_id: ClientId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Refuse a client's calls; its keys are kept."""
    _switch(client_id, connect(data, url, key, role="admin"), enabled=False, as_json=as_json)


def _switch(client_id: str, api: Any, *, enabled: bool, as_json: bool) -> None:
    client = api.call("PATCH", f"/admin/v1/clients/{segment(client_id)}", body={"enabled": enabled})["client"]
    print_json(client) if as_json else out.print(f"client {client_id} is {'enabled' if enabled else 'disabled'}")


def _scopes(names: list[str]) -> list[str]:
    return [f"SCOPE_{chosen(name, ('import', 'read', 'admin'), option='--scope').upper()}" for name in names]


def _with_secrets(answer: dict[str, Any]) -> dict[str, Any]:
    """id, api_key and hmac_secret first, then the client as it is."""
    return {
        "id": answer["client"]["id"],
        "api_key": answer["api_key"],
        "hmac_secret": answer.get("hmac_secret", ""),
        "client": answer["client"],
    }

"""Workspaces, their users and their credentials."""

import json
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from libs.cli.api import NoHub, connect, segment
from libs.cli.checking import chosen
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table
from libs.cli.workspaces import contacts

app = typer.Typer(
    no_args_is_help=True, help="Workspaces of the contact book: their tokens, keys, users and single contacts."
)
contacts.add_to(app)
WorkspaceId = Annotated[str, typer.Argument(help="The workspace's id, which is telecrm's enterprise id.")]
_ROOT = "/admin/v1/workspaces"
_PLAIN = "@+!$&'*="


@app.command()
def create(
    *,
    name: Annotated[str, typer.Option(help="Its name, for people.")],
    spec: Annotated[
        Path | None, typer.Option(help="JSON file with fields, actions, stages …", exists=True, dir_okay=False)
    ] = None,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create a workspace."""
    body: dict[str, Any] = {"name": name}
    if spec is not None:
        body["spec"] = _read_spec(spec)
    workspace = connect(data, url, key, role="admin").call("POST", _ROOT, body=body)["workspace"]
    shown = {"enterprise_id": workspace["id"]}
    print_json(shown) if as_json else out.print(f"workspace {workspace['id']}")


@app.command("list")
def list_workspaces(*, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """List all workspaces."""
    workspaces = connect(data, url, key, role="admin").call("GET", _ROOT)["workspaces"]
    if as_json:
        print_json(workspaces)
    else:
        print_table(workspaces, ["id", "name", "country", "identifier", "seats", "created_at"])


@app.command()
def show(workspace_id: WorkspaceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Show a workspace with its users and credentials."""
    found = connect(data, url, key, role="admin").call("GET", _path(workspace_id))
    if as_json:
        print_json(found)
        return
    out.print(found["workspace"])
    print_table(found["users"], ["email", "name", "state", "role"])
    print_table(found["credentials"], ["id", "type", "user", "created_at"])


@app.command()
def rename(
    workspace_id: WorkspaceId,
    name: Annotated[str, typer.Argument(help="The new name.")],
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Give a workspace another name."""
    api = connect(data, url, key, role="admin")
    workspace = api.call("PATCH", _path(workspace_id), body={"name": name})["workspace"]
    print_json(workspace) if as_json else out.print(f"workspace {workspace_id} is {workspace['name']}", markup=False)


@app.command("create-token")
def create_token(
    workspace_id: WorkspaceId,
    *,
    kind: Annotated[str, typer.Option("--type", help="sync or async.")],
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Make a telecrm token; it is shown once."""
    body = {"type": f"CREDENTIAL_TYPE_{chosen(kind, ('sync', 'async'), option='--type').upper()}"}
    api = connect(data, url, key, role="admin")
    made = api.call("POST", f"{_path(workspace_id)}/tokens", body=body)
    print_json(made) if as_json else out.print(f"token {made['id']}\n{made['token']}", soft_wrap=True)


@app.command("delete-token")
def delete_token(
    workspace_id: WorkspaceId,
    token_id: Annotated[str, typer.Argument(help="The id of the token, key or source access.")],
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """End a token, connect key or source access; it opens nothing from the next call on."""
    api = connect(data, url, key, role="admin")
    api.call("DELETE", f"{_path(workspace_id)}/credentials/{segment(token_id)}")
    print_json({"id": token_id, "deleted": True}) if as_json else out.print(f"{token_id} is deleted")


@app.command("create-connect-key")
def create_connect_key(
    workspace_id: WorkspaceId,
    *,
    user: Annotated[str, typer.Option(help="E-mail of the user whose key it is; joins the workspace if new.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Make a key of the connect API; it is shown once."""
    api = connect(data, url, key, role="admin")
    made = api.call("POST", f"{_path(workspace_id)}/connect-keys", body={"user": user})
    print_json(made) if as_json else out.print(f"key {made['id']}\n{made['api_key']}", soft_wrap=True)


@app.command("create-source-access")
def create_source_access(
    workspace_id: WorkspaceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Make a client id and secret of the contact source; the secret is shown once."""
    api = connect(data, url, key, role="admin")
    made = api.call("POST", f"{_path(workspace_id)}/source-accesses", body={})
    shown = {
        "url": f"{api.url}{made['path']}",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    }
    if as_json:
        print_json(shown)
    else:
        out.print("\n".join(f"{name} {value}" for name, value in shown.items()), soft_wrap=True)


@app.command("add-user")
def add_user(
    workspace_id: WorkspaceId,
    email: Annotated[str, typer.Argument(help="The user's e-mail.")],
    *,
    name: Annotated[str, typer.Option(help="The user's name.")] = "",
    role: Annotated[str, typer.Option(help="ADMIN, MANAGER, CALLER or MARKETING_USER.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Add a user to the team; takes a seat."""
    api = connect(data, url, key, role="admin")
    body = {"email": email, "name": name, "role": role.upper()}
    user = api.call("POST", f"{_path(workspace_id)}/users", body=body)["user"]
    print_json(user) if as_json else out.print(f"{user['email']} is in the team", markup=False)


@app.command("remove-user")
def remove_user(
    workspace_id: WorkspaceId,
    email: Annotated[str, typer.Argument(help="The user's e-mail.")],
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Remove a user; the user's connect keys open nothing from the next call on."""
    api = connect(data, url, key, role="admin")
    # Envoy leaves reserved characters of a path as they are written: those of an address are written plainly.
    api.call("DELETE", f"{_path(workspace_id)}/users/{quote(email, safe=_PLAIN)}")
    print_json({"email": email, "removed": True}) if as_json else out.print(f"{email} is removed", markup=False)


def _path(workspace_id: str) -> str:
    return f"{_ROOT}/{segment(workspace_id)}"


def _read_spec(path: Path) -> Any:
    try:
        spec = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise NoHub(f"{path} is no JSON document: {error}") from None
    if not isinstance(spec, dict):
        raise NoHub(f"{path} must hold a JSON object")
    return spec

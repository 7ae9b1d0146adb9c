"""Single contacts of a workspace, by hand."""

from typing import Annotated

import typer

from libs.cli.api import connect, segment
from libs.cli.contacts import plain_contact, read_contacts
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table

_WorkspaceId = Annotated[str, typer.Argument(help="The workspace's id.")]
_ContactId = Annotated[str, typer.Argument(help="The contact's id, or its number in the workspace.")]
_ROOT = "/admin/v1/contacts"


def add_to(app: typer.Typer) -> None:
    """Adds these subcommands."""
    app.command("contacts")(list_contacts)
    app.command("change-contact")(change_contact)
    app.command("delete-contact")(delete_contact)


def list_contacts(
    workspace_id: _WorkspaceId,
    *,
    phone: Annotated[str, typer.Option(help="Only this phone, E.164.")] = "",
    email: Annotated[str, typer.Option(help="Only this e-mail.")] = "",
    query: Annotated[str, typer.Option(help="Only names, companies and e-mails that contain this.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most to show.")] = 100,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List the contacts of a workspace, oldest first."""
    api = connect(data, url, key, role="admin")
    page = read_contacts(api, workspace_id=workspace_id, phone=phone, email=email, query=query, page_size=limit)
    if as_json:
        print_json(page)
    else:
        print_table(map(plain_contact, page["contacts"]), ["phone", "first_name", "last_name", "tags", "version"])


def change_contact(
    workspace_id: _WorkspaceId,
    contact_id: _ContactId,
    *,
    values: Annotated[list[str], typer.Option("--set", help="name=value; repeatable. An empty value takes it away.")],
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Change values of a contact: phone, email, first_name, last_name, company, type, or any other field."""
    pairs = [value.partition("=") for value in values]
    if any(not name or not sign for name, sign, _ in pairs):
        raise typer.BadParameter("name=value is wanted", param_hint="--set")
    body = {"workspace_id": workspace_id, "set": {name: value for name, _, value in pairs}}
    api = connect(data, url, key, role="admin")
    contact = api.call("PATCH", f"{_ROOT}/{segment(contact_id)}", body=body)["contact"]
    print_json(contact) if as_json else out.print(f"contact {contact_id}: version {contact['version']}")


def delete_contact(
    workspace_id: _WorkspaceId,
    contact_id: _ContactId,
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Delete a contact; sources tell of it, and its id is never used again."""
    connect(data, url, key, role="admin").call("DELETE", f"{_ROOT}/{segment(contact_id)}", workspace_id=workspace_id)
    print_json({"id": contact_id, "deleted": True}) if as_json else out.print(f"contact {contact_id} is deleted")

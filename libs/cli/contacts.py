"""``contactsync contacts``: what the contact book has."""

import json
import time
from typing import Annotated, Any

import typer

from libs.cli.api import Api, connect
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="The contact book: list, search, erase.")
_POLL_SECONDS = 0.5


@app.command("list")
def list_contacts(
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
    """List contacts, oldest first."""
    api = connect(data, url, key, role="admin")
    page = read_contacts(api, phone=phone, email=email, query=query, page_size=limit)
    if as_json:
        print_json(page)
    else:
        print_table(map(plain_contact, page["contacts"]), ["phone", "first_name", "last_name", "tags", "version"])


@app.command()
def erase(
    *,
    phone: Annotated[str, typer.Option(help="The person's phone, in any spelling.")] = "",
    email: Annotated[str, typer.Option(help="The person's e-mail.")] = "",
    external_id: Annotated[str, typer.Option(help="The person's id in another system.")] = "",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Erase one person everywhere: jobs of every client, their rows, and the book. Any one identity is enough."""
    api = connect(data, url, key, role="admin")
    named = {name: value for name, value in (("phone", phone), ("email", email), ("external_id", external_id)) if value}
    erasure = api.call("POST", "/v1/contacts/erase", body=named)
    while wait and erasure["status"] != "completed":
        time.sleep(_POLL_SECONDS)
        erasure = api.call("GET", f"/v1/contacts/erasures/{erasure['erasure_id']}")
    print_json(erasure) if as_json else out.print(erasure)


def read_contacts(api: Api, **query: Any) -> dict[str, Any]:
    """One page of contacts as the API has it."""
    page: dict[str, Any] = api.call("GET", "/admin/v1/contacts", **query)
    return page


def plain_contact(entry: dict[str, Any]) -> dict[str, Any]:
    """A contact with what is most asked for in front."""
    contact: dict[str, Any] = entry["contact"]
    return contact | {"version": entry["version"], "additionalFields": json.loads(entry["additional_fields"] or "{}")}

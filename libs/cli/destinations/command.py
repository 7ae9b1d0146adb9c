"""The subcommands on destinations themselves."""

from typing import Annotated

import typer

from libs.cli.api import connect
from libs.cli.checking import chosen
from libs.cli.destinations.config import Body, emptied, read_config
from libs.cli.destinations.shown import path, plain, plain_overview
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table
from libs.cli.retries import seconds

app = typer.Typer(
    no_args_is_help=True,
    help="Destinations: create, list, show, update, test, preview, pause, resume, rotate-secret, delete, "
    "dead-letters, replay, replays, discard, resolve, attempts.",
)
_KINDS = ("webhook", "telecrm", "connect", "directory")
DestinationId = Annotated[str, typer.Argument(help="The destination's id.")]
Hub = Annotated[str, typer.Option("--hub", help="Where the hub is, when it is not on this machine.")]
Config = Annotated[
    str,
    typer.Option(
        help='JSON: {"retry": {"first_delay_s", "max_delay_s", "max_attempts", "timeout_s"}, "secret" (webhook), '
        '"token" and "enterprise_id" (telecrm), "api_key" and "lead_status" (connect), "fields": {source: target}, '
        '"chunk_size", "concurrency", "rate", "headers": {name: value}, "tags": {"any_of", "none_of"}, '
        '"success": {"statuses", "body_field", "body_equals"}, "idempotent"}.'
    ),
]


@app.command()
def create(
    *,
    kind: Annotated[str, typer.Option(help="webhook, telecrm, connect or directory.")],
    url_of_destination: Annotated[str, typer.Option("--url", help="Where it is.")] = "",
    name: Annotated[str, typer.Option(help="Its name, for people.")] = "",
    config: Config = "{}",
    data: Data = None,
    hub: Hub = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create a destination; a webhook's signing secret is shown once."""
    body = {"kind": _kind(kind), "url": url_of_destination, "name": name, **read_config(config)}
    answer = connect(data, hub, key, role="admin").call("POST", "/admin/v1/destinations", body=body)
    destination, secret = plain(answer["destination"]), answer.get("secret", "")
    if as_json:
        print_json({"id": destination["id"], "secret": secret, "destination": destination})
    else:
        out.print(f"destination {destination['id']}" + (f"\nsecret {secret}" if secret else ""))


@app.command("list")
def list_destinations(*, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """List all destinations."""
    found = connect(data, url, key, role="admin").call("GET", "/admin/v1/destinations")["destinations"]
    destinations = [plain(each) for each in found]
    print_json(destinations) if as_json else print_table(destinations, ["id", "name", "kind", "url", "paused"])


@app.command()
def show(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Show a destination: its settings, what waits for it, its breaker and pace, its last errors."""
    shown = plain_overview(connect(data, url, key, role="admin").call("GET", path(destination_id)))
    if as_json:
        print_json(shown)
        return
    out.print({name: value for name, value in shown.items() if name not in {"destination", "last_errors"}})
    if shown["last_errors"]:
        print_table(shown["last_errors"], ["started_at", "chunk_id", "response_status_code", "error_message"])


@app.command()
def update(
    destination_id: DestinationId,
    *,
    url_of_destination: Annotated[str, typer.Option("--url", help="Where it is.")] = "",
    name: Annotated[str, typer.Option(help="Its name, for people.")] = "",
    config: Config = "{}",
    data: Data = None,
    hub: Hub = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Change what is given and leave the rest; {} for headers, fields, tags or success takes them away."""
    texts = {"url": url_of_destination, "name": name}
    body: Body = {field: value for field, value in texts.items() if value} | emptied(read_config(config))
    answer = connect(data, hub, key, role="admin").call("PATCH", path(destination_id), body=body)
    shown = plain(answer["destination"])
    print_json(shown) if as_json else out.print(f"destination {destination_id} is changed")


@app.command()
def pause(
    destination_id: DestinationId,
    *,
    reason: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Stop sending; what waits is kept."""
    api = connect(data, url, key, role="admin")
    answer = api.call("POST", path(destination_id, "pause"), body={"reason": reason})
    print_json(plain(answer["destination"])) if as_json else out.print(f"destination {destination_id}: paused")


@app.command()
def resume(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Send again, what waited too."""
    answer = connect(data, url, key, role="admin").call("POST", path(destination_id, "resume"), body={})
    print_json(plain(answer["destination"])) if as_json else out.print(f"destination {destination_id}: resumed")


@app.command("test")
def call_once(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Call it once without any contact of yours; exit code 1 when it does not answer as it should."""
    found = connect(data, url, key, role="admin").call("POST", path(destination_id, "test"), body={})
    if as_json:
        print_json(found)
    else:
        what = "it answers" if found["ok"] else found["error_message"]
        status = f"status {code}, " if (code := found["response_status_code"]) else ""
        out.print(f"{what} ({status}{found['duration_s'] * 1000:.0f} ms)")
    raise typer.Exit(code=not found["ok"])


@app.command()
def preview(
    destination_id: DestinationId,
    *,
    chunk: Annotated[str, typer.Option(help="The chunk, for example JOB.0; without it a made-up contact.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show what would be sent, secrets masked; nothing is."""
    found = connect(data, url, key, role="admin").call("GET", path(destination_id, "preview"), chunk_id=chunk)
    if as_json:
        print_json(found)
        return
    for request in found["requests"]:
        headers = "".join(f"{name}: {value}\n" for name, value in request["headers"].items())
        out.print(f"{request['method']} {request['url']}\n{headers}\n{request['body']}\n", markup=False)
    out.print(f"{found['contacts']} contacts, {found['filtered']} held back by tags")


@app.command("rotate-secret")
def rotate_secret(
    destination_id: DestinationId,
    *,
    overlap: Annotated[int, typer.Option(min=0, max=2592000, help="Seconds that the old secret signs too.")] = 86400,
    secret: Annotated[str, typer.Option(help="The new secret; without it one is made.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Give a webhook a new signing secret, shown once; the old one signs as well for a day, or as long as is said."""
    body = {"overlap": seconds(overlap), "secret": secret}
    answer = connect(data, url, key, role="admin").call("POST", path(destination_id, "rotate-secret"), body=body)
    shown = {"id": destination_id, "secret": answer["secret"], "destination": plain(answer["destination"])}
    print_json(shown) if as_json else out.print(f"secret {answer['secret']}")


@app.command()
def delete(
    destination_id: DestinationId,
    *,
    discard_backlog: Annotated[
        bool, typer.Option("--discard-backlog", help="End as failed what waits for it.")
    ] = False,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Delete a destination to which no client sends, no source leads, and for which nothing waits."""
    api, chosen = connect(data, url, key, role="admin"), "true" if discard_backlog else ""
    answer = api.call("DELETE", path(destination_id), discard_backlog=chosen)
    shown = {"id": destination_id, "deleted": True, "discarded": answer["discarded"]}
    print_json(shown) if as_json else out.print(f"destination {destination_id} is deleted")


def _kind(text: str) -> str:
    return f"DESTINATION_KIND_{chosen(text, _KINDS, option='--kind').upper()}"

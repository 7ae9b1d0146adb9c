"""``contactsync destinations``: where contacts go."""

import json
from typing import Annotated, Any

import typer

from libs.cli.api import connect, segment
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Destinations: create, list, show, pause, resume.")
DestinationId = Annotated[str, typer.Argument(help="The destination's id.")]


@app.command()
def create(
    *,
    kind: Annotated[str, typer.Option(help="webhook or directory.")],
    url_of_destination: Annotated[str, typer.Option("--url", help="Where a webhook is.")] = "",
    name: Annotated[str, typer.Option(help="Its name, for people.")] = "",
    config: Annotated[str, typer.Option(help='JSON: {"secret", "idempotent", "retry": {"first_delay_s", …}}.')] = "{}",
    data: Data = None,
    hub: Annotated[str, typer.Option("--hub", help="Where the hub is, when it is not on this machine.")] = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create a destination; a webhook's signing secret is shown once."""
    body = {"kind": f"DESTINATION_KIND_{kind.upper()}", "url": url_of_destination, "name": name, **_from_config(config)}
    answer = connect(data, hub, key, role="admin").call("POST", "/admin/v1/destinations", body=body)
    shown = {
        "id": answer["destination"]["id"],
        "secret": answer.get("secret", ""),
        "destination": answer["destination"],
    }
    print_json(shown) if as_json else out.print(f"destination {shown['id']}\nsecret {shown['secret']}")


@app.command("list")
def list_destinations(*, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """List all destinations."""
    found = connect(data, url, key, role="admin").call("GET", "/admin/v1/destinations")["destinations"]
    print_json(found) if as_json else print_table(found, ["id", "name", "kind", "url", "paused"])


@app.command()
def show(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Show a destination and what waits for it."""
    found = connect(data, url, key, role="admin").call("GET", f"/admin/v1/destinations/{segment(destination_id)}")
    if as_json:
        print_json(found)
    else:
        print_table([found["destination"] | {"waiting": found["waiting"]}], ["id", "kind", "url", "paused", "waiting"])


@app.command()
def pause(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Stop sending; what waits is kept."""
    _turn("pause", destination_id, connect(data, url, key, role="admin"), as_json=as_json)


@app.command()
def resume(
    destination_id: DestinationId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Send again, what waited first."""
    _turn("resume", destination_id, connect(data, url, key, role="admin"), as_json=as_json)


def _turn(verb: str, destination_id: str, api: Any, *, as_json: bool) -> None:
    answer = api.call("POST", f"/admin/v1/destinations/{segment(destination_id)}/{verb}", body={})
    print_json(answer["destination"]) if as_json else out.print(f"destination {destination_id}: {verb}d")


def _from_config(config: str) -> dict[str, Any]:
    """The part of the request that --config gives: seconds become durations as JSON has them, "5s"."""
    given = json.loads(config)
    if not isinstance(given, dict):
        raise typer.BadParameter("--config must be a JSON object")
    body = {name: given[name] for name in ("secret", "idempotent") if name in given}
    retry = given.get("retry") or {}
    seconds = {"first_delay_s": "first_delay", "max_delay_s": "max_delay", "timeout_s": "timeout"}
    schedule = {target: f"{float(retry[source]):.9f}s" for source, target in seconds.items() if source in retry}
    if "max_attempts" in retry:
        schedule["max_attempts"] = retry["max_attempts"]
    return body | ({"retry": schedule} if schedule else {})

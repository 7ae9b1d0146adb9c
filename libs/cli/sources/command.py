"""The subcommands."""

from typing import Annotated, Any

import typer

from libs.cli.api import Api, connect, segment
from libs.cli.checking import chosen
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table
from libs.cli.sources.config import Body, read_config
from libs.cli.sources.runs import plain_run, print_run, when_ended

app = typer.Typer(
    no_args_is_help=True,
    help="Sources: create, list, show, update, test, enable, pause, sync, runs, approve-deletes, reset-cursor, delete.",
)
SourceId = Annotated[str, typer.Argument(help="The source's id.")]
Config = Annotated[
    str,
    typer.Option(
        help='JSON: {"retry": {"first_delay_s", "max_delay_s", "max_attempts", "timeout_s"}, "max_pages", "page_size", '
        '"interval_h" or "cron", "rate", "fuse": {"share", "count"}, "token" and "enterprise_id" (telecrm), '
        '"api_key" (connect), "destinations", "region"}.'
    ),
]
Hub = Annotated[str, typer.Option("--hub", help="Where the hub is, when it is not on this machine.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait at most.")]
_KINDS = ("custom", "connect", "telecrm")
_TABLE = ["id", "name", "kind", "url", "enabled", "next_run_at", "cursor"]


@app.command()
def create(
    *,
    kind: Annotated[str, typer.Option(help="custom, connect or telecrm.")],
    url_of_source: Annotated[str, typer.Option("--url", help="Where the source is.")],
    client_id: Annotated[str, typer.Option(help="The client id that a custom source gave.")] = "",
    client_secret: Annotated[str, typer.Option(help="Its secret; for the others their token or API key.")] = "",
    workspace: Annotated[str, typer.Option(help="Where its contacts land; empty: the first workspace.")] = "",
    name: Annotated[str, typer.Option(help="Its name, for people.")] = "",
    config: Config = "{}",
    data: Data = None,
    hub: Hub = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Create a source. It is first run by schedule after one interval; `sync` runs it now."""
    kind, body = chosen(kind, _KINDS, option="--kind"), read_config(config)
    settings: Body = {"url": url_of_source, "name": name, "client_id": client_id, "workspace_id": workspace}
    body["settings"] = settings | body["settings"]
    secret = {"connect": "api_key", "telecrm": "token"}.get(kind, "client_secret")
    body["secrets"] = {secret: client_secret} | body["secrets"]
    body["kind"] = f"SOURCE_KIND_{kind.upper()}"
    source = connect(data, hub, key, role="admin").call("POST", "/admin/v1/sources", body=body)["source"]
    print_json(plain_source(source)) if as_json else out.print(f"source {source['id']}")


@app.command("list")
def list_sources(*, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """List all sources."""
    found = connect(data, url, key, role="admin").call("GET", "/admin/v1/sources")["sources"]
    sources = [plain_source(each) for each in found]
    print_json(sources) if as_json else print_table(sources, _TABLE)


@app.command()
def show(source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Show a source: its settings, its cursor and its next run."""
    source = plain_source(connect(data, url, key, role="admin").call("GET", _path(source_id))["source"])
    print_json(source) if as_json else out.print(source)


@app.command()
def update(
    source_id: SourceId,
    *,
    url_of_source: Annotated[str, typer.Option("--url", help="Where the source is.")] = "",
    client_id: Annotated[str, typer.Option(help="The client id that a custom source gave.")] = "",
    client_secret: Annotated[str, typer.Option(help="The secret of the client id.")] = "",
    workspace: Annotated[str | None, typer.Option(help="Where its contacts land.")] = None,
    name: Annotated[str, typer.Option(help="Its name, for people.")] = "",
    config: Config = "{}",
    data: Data = None,
    hub: Hub = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Change what is given and leave the rest."""
    api, given = connect(data, hub, key, role="admin"), read_config(config)
    texts = {"url": url_of_source, "client_id": client_id, "name": name}
    changes = {field: value for field, value in texts.items() if value} | given["settings"]
    changes |= {} if workspace is None else {"workspace_id": workspace}
    settings = api.call("GET", _path(source_id))["source"]["settings"] | changes
    secrets = ({"client_secret": client_secret} if client_secret else {}) | given["secrets"]
    source = api.call("PATCH", _path(source_id), body={"settings": settings, "secrets": secrets})["source"]
    print_json(plain_source(source)) if as_json else out.print(f"source {source_id} is changed")


@app.command("test")
def try_one_page(
    source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Call the source and read one page, without importing anything; exit code 1 when that fails."""
    found = connect(data, url, key, role="admin").call("POST", _path(source_id, "test"), body={})
    if as_json:
        print_json(found)
    else:
        out.print(f"{found['seen']} contacts, {found['skipped']} left out" if found["ok"] else found["message"])
    raise typer.Exit(code=not found["ok"])


@app.command()
def enable(source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Run it by schedule again."""
    _changed(connect(data, url, key, role="admin"), source_id, "enable", "is enabled", as_json=as_json)


@app.command()
def pause(source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Run it no more by schedule; a run that goes on ends."""
    _changed(connect(data, url, key, role="admin"), source_id, "pause", "is paused", as_json=as_json)


@app.command("reset-cursor")
def reset_cursor(
    source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False
) -> None:
    """Let its next run be a full one."""
    _changed(connect(data, url, key, role="admin"), source_id, "reset-cursor", "is read whole next", as_json=as_json)


@app.command()
def delete(source_id: SourceId, *, data: Data = None, url: Url = "", key: Key = "", as_json: Json = False) -> None:
    """Forget it with its runs; its contacts stay where they were imported to."""
    connect(data, url, key, role="admin").call("DELETE", _path(source_id))
    print_json({"id": source_id, "deleted": True}) if as_json else out.print(f"source {source_id} is deleted")


@app.command()
def sync(
    source_id: SourceId,
    *,
    full: Annotated[bool, typer.Option("--full", help="Read everything, not only the changes.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ends, or asks for approval.")] = False,
    timeout: Timeout = 600,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Run it now, or show the run that goes on."""
    api = connect(data, url, key, role="admin")
    run = api.call("POST", _path(source_id, "sync"), body={"full": full})["run"]
    print_run(when_ended(api, run, timeout_s=timeout) if wait else run, as_json=as_json)


@app.command()
def runs(
    source_id: SourceId,
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most to show.")] = 50,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List its runs, newest first."""
    api = connect(data, url, key, role="admin")
    found = api.call("GET", _path(source_id, "runs"), page_size=limit)
    shown = [plain_run(run) for run in found["runs"]]
    if as_json:
        print_json(shown)
        return
    print_table(shown, ["id", "status", "pages", "seen", "changed", "unchanged", "skipped", "deleted", "message"])
    out.print(f"next run {found.get('next_run_at') or 'not by schedule'}")


@app.command()
def run(
    source_id: SourceId,
    run_id: Annotated[str, typer.Argument(help="The run's id.")],
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show a run with the rows that it left out."""
    found = connect(data, url, key, role="admin").call("GET", _path(source_id, f"runs/{segment(run_id)}"))
    shown = plain_run(found["run"]) | {"skipped_rows": found["skipped_rows"]}
    print_json(shown) if as_json else out.print(shown)


@app.command("approve-deletes")
def approve_deletes(
    source_id: SourceId,
    *,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Until they are done.")] = True,
    timeout: Timeout = 60,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Let the held deletes of its last run go on, exactly these."""
    api = connect(data, url, key, role="admin")
    approved = api.call("POST", _path(source_id, "approve-deletes"), body={})["run"]
    print_run(when_ended(api, approved, timeout_s=timeout) if wait else approved, as_json=as_json)


def plain_source(source: dict[str, Any]) -> dict[str, Any]:
    """A source as the command shows it: its settings beside its id, its kind in small letters."""
    settings = source["settings"]
    shown = {"id": source["id"], "name": settings["name"], "kind": source["kind"].removeprefix("SOURCE_KIND_").lower()}
    facts = {name: source.get(name) for name in ("enabled", "next_run_at", "cursor", "created_at")}
    return {**shown, "url": settings["url"], **facts, "settings": settings}


def _changed(api: Api, source_id: str, verb: str, told: str, *, as_json: bool) -> None:
    source = api.call("POST", _path(source_id, verb), body={})["source"]
    print_json(plain_source(source)) if as_json else out.print(f"source {source_id} {told}")


def _path(source_id: str, rest: str = "") -> str:
    return f"/admin/v1/sources/{segment(source_id)}" + (f"/{rest}" if rest else "")

"""The subcommands that send dead letters again."""

import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs.cli.api import Api, connect
from libs.cli.destinations.command import DestinationId
from libs.cli.destinations.dead_letters import Chunk, Job, Position, Saying, Since, State, selection
from libs.cli.destinations.shown import path
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import err, out, print_json, print_table

_LOOK_EVERY_S = 0.2


def replay(
    destination_id: DestinationId,
    *,
    state: State = None,
    since: Since = "",
    job: Job = "",
    chunk: Chunk = "",
    position: Position = None,
    reason: Saying = "",
    repeat_unknown: Annotated[
        bool, typer.Option("--repeat-unknown", help="Send unknown ones too, though they may have arrived.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it until it is completed.")] = True,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds to follow it at most.")] = 60.0,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Send dead letters again, the failed ones unless states are named. The hub goes on with it whoever looks."""
    wanted = selection(states=state, since=since, job=job, chunk=chunk, positions=position, reason=reason)
    body = {"filter": wanted, "repeat_unknown": repeat_unknown}
    api = connect(data, url, key, role="admin")
    started = api.call("POST", path(destination_id, "replays"), body=body)["replay"]
    found = _follow(api, started, timeout_s=timeout) if wait else started
    if as_json:
        print_json(_plain(found))
    else:
        counts = f"{found['done']} delivered, {found['failed']} failed, {found['skipped']} skipped of {found['total']}"
        out.print(f"replay {found['id']} {found['state']}: {counts}")


def replays(
    destination_id: DestinationId,
    *,
    replay_id: Annotated[str, typer.Option("--replay", help="Only this one.")] = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List a destination's replays with their progress, the latest first."""
    api = connect(data, url, key, role="admin")
    if replay_id:
        found = [api.call("GET", path(destination_id, "replays", replay_id))["replay"]]
    else:
        found = api.call("GET", path(destination_id, "replays"))["replays"]
    shown = [_plain(each) for each in found]
    print_json(shown) if as_json else print_table(
        shown, ["id", "state", "total", "done", "failed", "skipped", "created_at", "completed_at"]
    )


def _follow(api: Api, started: dict[str, Any], *, timeout_s: float) -> dict[str, Any]:
    """The replay once it is completed, or as it is when the time is over; a progress bar on a terminal until then."""
    found, at = started, path(started["destination_id"], "replays", started["id"])
    ends_at = time.monotonic() + timeout_s
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        bar = progress.add_task("sent again", total=found["total"])
        while found["state"] == "running" and time.monotonic() < ends_at:
            time.sleep(_LOOK_EVERY_S)
            found = api.call("GET", at)["replay"]
            progress.update(bar, completed=found["done"] + found["failed"] + found["skipped"])
    return found


def _plain(replay: dict[str, Any]) -> dict[str, Any]:
    return replay | {"completed_at": replay.get("completed_at")}

"""The subcommands on what destinations did not take."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from libs.cli.api import Api, connect
from libs.cli.destinations.command import DestinationId
from libs.cli.destinations.shown import path
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import out, print_json, print_table

State = Annotated[
    list[str] | None, typer.Option("--state", help="Only failed, unsupported or unknown ones; repeatable.")
]
Since = Annotated[str, typer.Option(help="Only since then: 2026-01-31T12:00:00Z, or 90m, 12h, 7d ago.")]
Job = Annotated[str, typer.Option("--job", help="Only of this import job.")]
Chunk = Annotated[str, typer.Option("--chunk", help="Only of this chunk.")]
Position = Annotated[list[int] | None, typer.Option("--position", help="Only this place in the chunk; repeatable.")]
Saying = Annotated[str, typer.Option("--reason", help="Only whose reason contains this text.")]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def dead_letters(
    destination_id: DestinationId,
    *,
    state: State = None,
    since: Since = "",
    job: Job = "",
    chunk: Chunk = "",
    position: Position = None,
    reason: Saying = "",
    closed: Annotated[bool, typer.Option("--closed", help="Show those that were discarded or resolved, too.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="The most to show.")] = 1000,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List the rows that a destination did not take, the latest first."""
    wanted = selection(states=state, since=since, job=job, chunk=chunk, positions=position, reason=reason)
    query = {f"filter.{name}": value for name, value in wanted.items()} | ({"closed": "true"} if closed else {})
    found = _pages(connect(data, url, key, role="admin"), path(destination_id, "dead-letters"), query, limit)
    if as_json:
        print_json(found)
    else:
        print_table(found, ["chunk_id", "position", "state", "response_status_code", "reason", "at", "closed_as"])


def discard(
    destination_id: DestinationId,
    *,
    because: Annotated[str, typer.Option("--because", help="Why, for whoever looks later.")],
    state: State = None,
    since: Since = "",
    job: Job = "",
    chunk: Chunk = "",
    position: Position = None,
    reason: Saying = "",
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Close dead letters for good; their rows keep their state, and who did it stays on record."""
    body = {
        "filter": selection(states=state, since=since, job=job, chunk=chunk, positions=position, reason=reason),
        "reason": because,
    }
    answer = connect(data, url, key, role="admin").call("POST", path(destination_id, "discard"), body=body)
    print_json(answer) if as_json else out.print(f"{answer['discarded']} dead letters are discarded")


def resolve(
    destination_id: DestinationId,
    *,
    delivered: Annotated[bool, typer.Option("--delivered/--not-delivered", help="Whether they had arrived.")],
    because: Annotated[str, typer.Option("--because", help="How one knows, for whoever looks later.")] = "",
    since: Since = "",
    job: Job = "",
    chunk: Chunk = "",
    position: Position = None,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Say of unknown rows whether they had arrived; those that had not become failed, and can be replayed."""
    wanted = selection(since=since, job=job, chunk=chunk, positions=position)
    body = {"filter": wanted, "delivered": delivered, "reason": because}
    answer = connect(data, url, key, role="admin").call("POST", path(destination_id, "resolve"), body=body)
    print_json(answer) if as_json else out.print(f"{answer['resolved']} rows are resolved")


def selection(
    *,
    states: list[str] | None = None,
    since: str = "",
    job: str = "",
    chunk: str = "",
    positions: list[int] | None = None,
    reason: str = "",
) -> dict[str, Any]:
    """The filter as the API has it, without what is not given."""
    given = {
        "states": states or [],
        "since": moment(since) if since else "",
        "job_id": job,
        "chunk_id": chunk,
        "positions": positions or [],
        "reason": reason,
    }
    return {name: value for name, value in given.items() if value}


def moment(text: str) -> str:
    """A time as RFC 3339, from itself or from how long ago it is."""
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago is not None:
        then = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            then = datetime.fromisoformat(text)
        except ValueError:
            raise typer.BadParameter("not a time such as 2026-01-31T12:00:00Z or 12h", param_hint="--since") from None
    return (then if then.tzinfo else then.astimezone()).astimezone(UTC).isoformat().replace("+00:00", "Z")


def _pages(api: Api, at: str, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        size = min(1000, limit - len(found))
        page = api.call("GET", at, **query, page_size=size, page_token=token)
        found += page["dead_letters"]
        token = page.get("next_page_token", "")
        if not token or len(found) >= limit:
            return found

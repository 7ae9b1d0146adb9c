"""The subcommand that shows every try of a delivery."""

from typing import Annotated

import typer

from libs.cli.api import connect
from libs.cli.destinations.command import DestinationId
from libs.cli.destinations.shown import path
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import print_json, print_table


def attempts(
    destination_id: DestinationId,
    chunk: Annotated[str, typer.Argument(help="The chunk: the job's id, a dot and the chunk's number.")],
    *,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show the tries of a chunk, oldest first, with status, time, error and what came back."""
    api = connect(data, url, key, role="admin")
    found = api.call("GET", path(destination_id, "attempts", chunk))["attempts"]
    if as_json:
        print_json(found)
        return
    columns = ["round", "number", "started_at", "duration_s", "response_status_code", "error_message", "answer_body"]
    print_table(found, columns)

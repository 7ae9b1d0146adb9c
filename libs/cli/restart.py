"""``contactsync restart``: every program of the running hub in turn, or those of one service."""

from typing import Annotated

import typer

from libs.cli.api import running_hub_of
from libs.cli.options import Data, Json
from libs.cli.output import print_json


def restart(
    name: Annotated[str, typer.Argument(metavar="SERVICE", help="A service, or one program; nothing: all.")] = "",
    *,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Restart the running hub's programs, one after the other, each once the one before does its work again."""
    from libs.cli.stack.rolling import RunningPrograms  # noqa: PLC0415 — imports gRPC, which few subcommands need

    folder, facts = running_hub_of(data)
    running = RunningPrograms(folder, facts)
    restarted = []
    for each in running.restart(running.named(name)):
        typer.echo(f"{each.name} is back after {each.away_s:.1f} s", err=as_json)
        restarted.append({"name": each.name, "away_s": round(each.away_s, 2)})
    if as_json:
        print_json({"restarted": restarted})

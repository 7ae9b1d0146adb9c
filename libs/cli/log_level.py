"""``contactsync log-level``: how much the hub's processes say, told or set while they run."""

from typing import Annotated

import typer

from libs.cli.api import running_hub_of
from libs.cli.checking import chosen
from libs.cli.options import Data, Json
from libs.cli.output import print_json, print_table

_LEVELS = ("debug", "info", "warning", "error")


def log_level(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="A service, or `all`.")] = "all",
    level: Annotated[str, typer.Argument(metavar="LEVEL", help=f"{', '.join(_LEVELS)}; nothing: tell it.")] = "",
    *,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell, or set until the next start, how much a service's processes log."""
    from libs.cli.running_logs import RunningLogs  # noqa: PLC0415 — imports gRPC, which few subcommands need

    level = level and chosen(level, _LEVELS, option="LEVEL")
    folder, facts = running_hub_of(data)
    names = [name for name, its in facts["instances"].items() if service in {"all", its, name}]
    if not names:
        known = ", ".join(dict.fromkeys(facts["instances"].values()))
        raise typer.BadParameter(f"{service} is none of {known}", param_hint="SERVICE")
    logs = RunningLogs(folder, facts)
    for name in names if level else ():
        logs.set(name, level)
    levels = [{"name": name, "level": logs.level(name)} for name in names]
    print_json({"levels": levels}) if as_json else print_table(levels, ["name", "level"])

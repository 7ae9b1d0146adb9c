"""The options that every subcommand shares."""

from pathlib import Path
from typing import Annotated

import typer

DATA_VARIABLE = "CONTACTSYNC_DATA"
JAEGER_VARIABLE = "CONTACTSYNC_JAEGER_URL"

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar=DATA_VARIABLE, help="Data folder of the running hub.", file_okay=False),
]
Url = Annotated[str, typer.Option("--url", help="Where the hub is, when it is not on this machine.")]
Key = Annotated[str, typer.Option("--key", envvar="CONTACTSYNC_KEY", help="API key; by default the data folder's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

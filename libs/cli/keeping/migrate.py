"""``contactsync migrate-data``: a hub that has outgrown SQLite goes on in PostgreSQL."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from libs.cli.api import DEFAULT_DATA
from libs.cli.options import DATA_VARIABLE, Json
from libs.cli.output import err, print_json, print_table
from libs.cli.postgres import Postgres, PostgresFile, read_postgres
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import place_of, remember


def migrate_data(
    *,
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="The stopped hub's data folder.")] = DEFAULT_DATA,
    postgres: Postgres = "",
    postgres_file: PostgresFile = None,
    as_json: Json = False,
) -> None:
    """Copy a stopped hub's databases from SQLite files into PostgreSQL; killed, start it again and it goes on."""
    from libs.cli.keeping.moving import forget_marks, move  # noqa: PLC0415 — imports both databases' drivers

    url = read_postgres(postgres, postgres_file)
    if not url:
        raise typer.BadParameter("give the URL of an empty database", param_hint="--postgres")
    folder = DataFolder(data.resolve())
    if folder.postgres_url.exists():
        raise CannotStart(
            f"the hub on {folder.root} is on PostgreSQL already", remedy="Start it with contactsync up; that is all."
        )
    if not folder.database_files():
        raise CannotStart(f"there is no hub's data in {folder.root}", remedy="Name the data folder with --data.")
    folder.prepare()
    with folder.held():
        moved = asyncio.run(move(folder, url, say=lambda text: err.print(text, highlight=False)))
        remember(folder, url)
        asyncio.run(forget_marks(url))
    told = {
        "database": place_of(url),
        "tables": [asdict(each) for each in moved],
        "rows": sum(each.rows for each in moved),
    }
    print_json(told) if as_json else _print(folder, told, moved=[asdict(each) for each in moved])


def _print(folder: DataFolder, told: dict[str, object], *, moved: list[dict[str, object]]) -> None:
    print_table(moved, ["service", "table", "rows"])
    typer.echo(
        f"All {told['rows']} rows are in {told['database']}, and contactsync up goes on there by itself.\n"
        f"Keys stay in {folder.root / 'keys'}: without them the data cannot be used. "
        f"Delete {folder.root / 'db'} when you are content."
    )

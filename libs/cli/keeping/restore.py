"""``contactsync restore``: a backup becomes the data of a hub that is not there yet."""

import asyncio
import json
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.cli.api import DEFAULT_DATA
from libs.cli.keeping.backup import FORMAT
from libs.cli.options import DATA_VARIABLE, Json
from libs.cli.output import err, print_json
from libs.cli.postgres import Postgres, PostgresFile, read_postgres
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder
from libs.cli.stack.postgres import place_of, remember

# An answer that says 202 of a job which the backup has not, since it was taken a moment before: repeated, the request
# must be accepted anew and not be told that it was.
_FORGET_ANSWERS = "DELETE FROM keys WHERE status_code IS NOT NULL AND job_id NOT IN (SELECT job_id FROM ingestion.jobs)"
# What waited for these when the backup was taken may have been sent since, and they would take it twice.
_PAUSE = """
UPDATE destinations SET paused = 1, pause_reason = ? WHERE idempotent = 0 AND paused = 0
AND destination_id IN (SELECT destination_id FROM ingestion.chunk_deliveries WHERE state < 3)
RETURNING destination_id
"""
_NAME_A_BACKUP = "Name what contactsync backup made."
_WHY = (
    "Restored from the backup of {taken_at}: what waits may have been sent since. Look there, then resume or discard."
)


def restore(
    *,
    backup: Annotated[Path, typer.Argument(help="What contactsync backup made.", exists=True)],
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="A folder without a hub.")] = DEFAULT_DATA,
    postgres: Postgres = "",
    postgres_file: PostgresFile = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty place; then start it with contactsync up."""
    url = read_postgres(postgres, postgres_file)
    folder = DataFolder(data.resolve())
    if folder.database_files() or folder.credentials.exists() or folder.postgres_url.exists():
        raise CannotStart(f"{folder.root} holds a hub's data already", remedy="Name an empty folder with --data.")
    folder.root.mkdir(parents=True, exist_ok=True)
    with _unpacked(backup, near=folder.root) as source:
        manifest = _checked(source)
        paused = _reconcile(source / "db", manifest["taken_at"])
        _put(source, folder)
    if url:
        _move(folder, url)
    shown = {"data": str(folder.root), "taken_at": manifest["taken_at"], "paused_destinations": paused}
    if as_json:
        print_json(shown)
        return
    typer.echo(f"The hub of {manifest['taken_at']} is in {folder.root}. Start it: contactsync up --data {folder.root}")
    for destination in paused:
        typer.echo(
            f"destination {destination} is paused: it may have got what waited for it, and takes repeats as new."
        )
    typer.echo("Who was erased after the backup is there again: erase them once more.")


@contextmanager
def _unpacked(backup: Path, *, near: Path) -> Iterator[Path]:
    """A copy that may be changed, on the disk where it is to be; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix=".restoring.", dir=near) as room:
        copy = Path(room) / "backup"
        if backup.is_dir():
            shutil.copytree(backup, copy)
        else:
            _unpack(backup, Path(room))
        yield copy


def _unpack(archive: Path, into: Path) -> None:
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(into, filter="data")
    except (tarfile.TarError, EOFError, zlib.error):
        raise CannotStart(f"{archive} is no whole archive", remedy=_NAME_A_BACKUP) from None


def _checked(source: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((source / "backup.json").read_text())
        made, databases = manifest["format"], manifest["databases"]
    except (OSError, ValueError, LookupError, TypeError):
        raise CannotStart("this is no backup of a hub", remedy=_NAME_A_BACKUP) from None
    if made != FORMAT:
        raise CannotStart("a newer release made this backup", remedy="Restore it with that release.")
    for service, told in databases.items():
        with (source / "db" / f"{service}.sqlite3").open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != told["sha256"]:
                raise CannotStart(f"{service}'s database is not what was backed up", remedy="Take another backup.")
    return manifest


def _reconcile(db: Path, taken_at: str) -> list[str]:
    """Settles what the moments of the copies, and the time since, leave open; gives the paused destinations."""
    if not (db / "ingestion.sqlite3").exists():
        return []
    with _beside_ingestion(db, "idempotency") as keys:
        keys.execute(_FORGET_ANSWERS)
    with _beside_ingestion(db, "delivery") as delivery:
        return [name for (name,) in delivery.execute(_PAUSE, (_WHY.format(taken_at=taken_at),))]


@contextmanager
def _beside_ingestion(db: Path, service: str) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(db / f"{service}.sqlite3", isolation_level=None)) as database:
        database.execute("ATTACH ? AS ingestion", (str(db / "ingestion.sqlite3"),))
        database.execute("BEGIN IMMEDIATE")
        yield database
        database.execute("COMMIT")


def _put(source: Path, folder: DataFolder) -> None:
    """Keys first: databases without them would be a hub that cannot read its secrets."""
    shutil.rmtree(folder.root / "keys", ignore_errors=True)
    (source / "keys").replace(folder.root / "keys")
    if (source / "credentials.json").exists():
        (source / "credentials.json").replace(folder.credentials)
    shutil.rmtree(folder.root / "db", ignore_errors=True)
    (source / "db").replace(folder.root / "db")


def _move(folder: DataFolder, url: str) -> None:
    from libs.cli.keeping.moving import forget_marks, move  # noqa: PLC0415 — imports both databases' drivers

    folder.prepare()
    with folder.held():
        asyncio.run(move(folder, url, say=lambda text: err.print(text, highlight=False)))
        remember(folder, url)
        asyncio.run(forget_marks(url))
    err.print(f"It is in {place_of(url)}.", highlight=False)

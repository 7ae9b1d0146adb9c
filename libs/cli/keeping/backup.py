"""``contactsync backup``: everything that a hub needs to begin again elsewhere, while it runs."""

import json
import os
import shutil
import tarfile
import tempfile
from datetime import UTC, datetime
from hashlib import file_digest
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from libs.cli.api import DEFAULT_DATA
from libs.cli.options import DATA_VARIABLE, Json
from libs.cli.output import err, print_json
from libs.cli.stack.errors import CannotStart
from libs.cli.stack.folder import DataFolder, write_private

FORMAT = 1
ARCHIVES = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz"}
_OWN_PLACE = "postgres"  # where the data lies is this place's affair, and not of where it is restored


def backup(
    *,
    target: Annotated[Path, typer.Argument(help="A folder that is not there yet, or a file *.tar or *.tar.gz.")],
    data: Annotated[Path, typer.Option(envvar=DATA_VARIABLE, help="The hub's data folder.")] = DEFAULT_DATA,
    as_json: Json = False,
) -> None:
    """Back up a hub, running or stopped: databases of moments that go together, keys and credentials."""
    folder = DataFolder(data.resolve())
    if not folder.key("service").exists():
        raise CannotStart(f"there is no hub's data in {folder.root}", remedy="Name the data folder with --data.")
    if target.exists():
        raise CannotStart(f"{target} is there already", remedy="Name a folder or a file that is not there yet.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as room:
        made = Path(room) / "backup"
        manifest = write_backup(folder, made)
        _put(made, target)
    shown = {"backup": str(target.resolve()), **manifest}
    if as_json:
        print_json(shown)
    else:
        size = sum(each["bytes"] for each in manifest["databases"].values())
        typer.echo(f"{target}: {len(manifest['databases'])} databases, {size // 1024**2} MB, and the keys.")
    err.print("It holds every contact and the keys to all secrets: keep it as you would keep these.", highlight=False)


def write_backup(folder: DataFolder, made: Path) -> dict[str, Any]:
    """Makes the folder of a backup; gives what backup.json says of it."""
    from libs.cli.keeping.snapshots import snapshot  # noqa: PLC0415 — imports both databases' drivers

    for name in ("db", "keys"):
        (made / name).mkdir(parents=True, mode=0o700)
    taken_at = datetime.now(UTC)
    snapshot(folder, made / "db")
    for key in sorted((folder.root / "keys").iterdir()):
        if key.is_file() and not key.name.startswith(_OWN_PLACE):
            write_private(made / "keys" / key.name, key.read_text())
    if folder.credentials.exists():
        write_private(made / folder.credentials.name, folder.credentials.read_text())
    databases = {file.stem: _described(file) for file in sorted((made / "db").glob("*.sqlite3"))}
    manifest = {
        "format": FORMAT,
        "taken_at": taken_at.isoformat(),
        "release": version("contactsync"),
        "databases": databases,
    }
    write_private(made / "backup.json", json.dumps(manifest, indent=2))
    return manifest


def _described(file: Path) -> dict[str, Any]:
    file.chmod(0o600)
    with file.open("r+b") as content:
        os.fsync(content.fileno())
        return {"bytes": file.stat().st_size, "sha256": file_digest(content, "sha256").hexdigest()}


def _put(made: Path, target: Path) -> None:
    """Under its name it is whole, or not there."""
    mode = ARCHIVES.get(target.suffix)
    if mode is None:
        made.replace(target)
        return
    packed = made.with_name("packed")
    with (
        os.fdopen(os.open(packed, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "wb") as file,
        tarfile.open(fileobj=file, mode=mode) as archive,  # type: ignore[call-overload]  # one of ARCHIVES
    ):
        archive.add(made, arcname="backup")
    packed.replace(target)
    shutil.rmtree(made)

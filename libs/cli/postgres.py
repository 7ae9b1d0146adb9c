"""The option that names a PostgreSQL database, in ways that keep its password out of sight."""

import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

URL_VARIABLE = "CONTACTSYNC_POSTGRES_URL"
FILE_VARIABLE = "CONTACTSYNC_POSTGRES_FILE"

Postgres = Annotated[
    str,
    typer.Option(envvar=URL_VARIABLE, show_default=False, help="postgresql://… instead of SQLite files, remembered."),
]
PostgresFile = Annotated[
    Path | None, typer.Option(envvar=FILE_VARIABLE, help="File that holds this URL.", exists=True, dir_okay=False)
]


def read_postgres(url: str, file: Path | None) -> str:
    """The URL from wherever it was given, empty for none; processes that are started do not inherit it.

    A command line can be read by every user of the machine: a password in it is taken out, by starting the same command
    again with the URL in its environment.
    """
    if urlsplit(url).password and any(url in word for word in sys.orig_argv):
        _start_again(url)
    os.environ.pop(URL_VARIABLE, None)
    if file and not url:
        return file.read_text().strip()
    return url


def _start_again(url: str) -> None:
    words = list(sys.orig_argv)
    for word in (f"--postgres={url}", url, "--postgres"):
        if word in words:
            words.remove(word)
    os.environ[URL_VARIABLE] = url
    os.execv(sys.executable, [sys.executable, *words[1:]])  # noqa: S606 — no shell: this very command

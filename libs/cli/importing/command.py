"""The subcommand."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from libs.cli.api import Api, connect
from libs.cli.importing.records import Record, UnreadableFile
from libs.cli.importing.rejects import RejectsFile
from libs.cli.importing.send import send_records
from libs.cli.options import Data, Json, Key, Url
from libs.cli.output import err, out, print_json


def import_file(
    file: Annotated[Path, typer.Argument(help=".json, .jsonl, .csv, .tsv or .vcf", exists=True, dir_okay=False)],
    *,
    columns: Annotated[list[str] | None, typer.Option("--map", help="COLUMN=field of a CSV; repeatable.")] = None,
    again: Annotated[str, typer.Option(help="Any word: import the same file once more as new jobs.")] = "",
    rejects: Annotated[Path | None, typer.Option(help="Where refused rows go; by default beside FILE.")] = None,
    data: Data = None,
    url: Url = "",
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Import a file of contacts. Interrupted, it is simply run again: nothing is sent twice."""
    api = connect(data, url, key, role="client")
    target = RejectsFile(rejects or file.with_name(f"{file.stem}.rejected{RejectsFile.ending(file)}"))
    try:
        shown = _import(api, file, dict(_pair(each) for each in columns or []), f"file{again}", target)
    except UnreadableFile as error:
        raise typer.BadParameter(str(error)) from error
    print_json(shown) if as_json else _print(shown)


def _import(api: Api, file: Path, columns: dict[str, str], source: str, target: RejectsFile) -> dict[str, Any]:
    from libs.cli.importing.readers import read_records  # noqa: PLC0415 — 5 MB that no other subcommand needs

    jobs, replayed, rows = [], 0, Counter()
    with target, Progress(TextColumn("{task.completed} rows sent"), TimeElapsedColumn(), console=err) as progress:
        bar = progress.add_task("rows", total=None)
        records = rows.counted(read_records(file, columns=columns))
        for accepted in send_records(api, records, source=source, rejected=target.write):
            jobs.append({"job_id": accepted.job_id, "correlation_id": accepted.correlation_id})
            replayed += accepted.total if accepted.replayed else 0
            progress.update(bar, completed=rows.count)
    return {
        "file": str(file),
        "rows": rows.count,
        "accepted": rows.count - target.count,
        "rejected": target.count,
        "sent_before": replayed,
        "rejected_file": str(target.path) if target.count else None,
        "jobs": jobs,
    }


class Counter:
    """Counts what passes."""

    def __init__(self) -> None:
        self.count = 0

    def counted(self, records: Iterable[Record]) -> Iterator[Record]:
        """The same records."""
        for record in records:
            self.count += 1
            yield record


def _pair(mapping: str) -> tuple[str, str]:
    column, found, field = mapping.rpartition("=")
    if not found:
        raise typer.BadParameter(f"--map {mapping}: write COLUMN=field")
    return column, field


def _print(shown: dict[str, Any]) -> None:
    out.print(
        f"{shown['rows']} rows: {shown['accepted']} accepted in {len(shown['jobs'])} jobs, {shown['rejected']} rejected"
    )
    if shown["rejected"]:
        out.print(f"rejected rows are in {shown['rejected_file']}")
    if shown["sent_before"]:
        out.print(f"{shown['sent_before']} rows had been accepted by an earlier run and were not sent again")

"""The file of refused rows, in the shape they came in, with code and reason."""

import csv
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson

from libs.cli.importing.records import Rejected


class RejectsFile:
    """Written as rows are refused; made with the first one, so that an import without refusals leaves no file.

    CSV in gives CSV out, with the columns ``code`` and ``reason``; JSON gives JSON lines ``{"code", "reason", "row"}``;
    vCard gives vCards with ``X-CONTACTSYNC-CODE`` and ``X-CONTACTSYNC-REASON``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: IO[str] | None = None
        self._csv: csv.DictWriter[str] | None = None

    @staticmethod
    def ending(source: Path) -> str:
        """The ending of the refused rows of a file."""
        suffix = source.suffix.lower()
        return ".jsonl" if suffix in {".json", ".ndjson", ".jsonl"} else suffix

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def write(self, rejected: Rejected) -> None:
        """Adds one refused row."""
        self.count += 1
        if self._file is None:
            self._file = self.path.open("w", encoding="utf-8", newline="")
        source = rejected.record.source
        if isinstance(source, str):
            self._file.write(_with_reason(source, rejected))
        elif self.path.suffix in {".csv", ".tsv"}:
            self._write_csv(self._file, source, rejected)
        else:
            line = {"code": rejected.code, "reason": rejected.reason, "row": source}
            self._file.write(orjson.dumps(line).decode() + "\n")

    def _write_csv(self, file: IO[str], source: dict[str, Any], rejected: Rejected) -> None:
        if self._csv is None:
            delimiter = "\t" if self.path.suffix == ".tsv" else ","
            self._csv = csv.DictWriter(file, [*source, "code", "reason"], delimiter=delimiter, extrasaction="ignore")
            self._csv.writeheader()
        self._csv.writerow(source | {"code": rejected.code, "reason": rejected.reason})


def _with_reason(card: str, rejected: Rejected) -> str:
    reason = f"X-CONTACTSYNC-CODE:{rejected.code}\r\nX-CONTACTSYNC-REASON:{rejected.reason}\r\n"
    return card.replace("END:VCARD", f"{reason}END:VCARD")

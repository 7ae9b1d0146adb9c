"""The report where it was asked for."""

import json
from pathlib import Path

from libs.cli.bench.together.picture import draw
from libs.cli.bench.together.run import Report
from libs.cli.bench.together.table import print_rows
from libs.cli.output import out, print_json


def show(report: Report, *, json_file: Path | None, svg: Path | None, as_json: bool) -> None:
    """Prints the table or, ``as_json``, the document; writes the files that are named."""
    if json_file:
        json_file.write_text(json.dumps(report.document, ensure_ascii=False, indent=2) + "\n")
    if svg:
        svg.write_text(draw(report.rows, caption=caption_of(report)))
    if as_json:
        print_json(report.document)
        return
    out.print("\n".join(caption_of(report)))
    print_rows(report.rows)


def caption_of(report: Report) -> tuple[str, str]:
    """What the figures must not be shown without."""
    found, load = report.document["environment"], report.document["load_average"]
    before, after = load["before"][0], load["after"][0]
    place = f"{found['began'][:16]}Z, {found['cores']} cores, load {before:.1f} before and {after:.1f} after"
    versions = " · ".join(f"{name} {version}" for name, version in found["versions"].items())
    return place, f"Python {found['python']} · {versions}"

"""The rows as people read them."""

from collections.abc import Sequence

from libs.cli.bench.together.goals import Row
from libs.cli.output import print_table

COLUMNS = ("work", "beside", "goal", "measured (range)", "")


def print_rows(rows: Sequence[Row]) -> None:
    """One line for each goal."""
    print_table([dict(zip(COLUMNS, cells(row), strict=True)) for row in rows], COLUMNS)


def cells(row: Row) -> tuple[str, str, str, str, str]:
    """What stands in the columns."""
    if row.measured is None:
        return row.work, row.beside, row.goal, "–", f"left out: {row.why}"
    figure = row.measured
    measured = f"{figure.median:.3g} ({figure.least:.3g}–{figure.most:.3g})"
    return row.work, row.beside, row.goal, measured, "met" if row.met else "missed"

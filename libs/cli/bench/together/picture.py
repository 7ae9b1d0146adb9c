"""The rows as a picture: each figure as a part of its goal, on a logarithmic scale."""

import math
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

from libs.cli.bench.together.goals import Row
from libs.cli.bench.together.table import cells

_LABELS, _PLOT, _FIGURES = 380, 420, 210
_LINE, _TOP = 26, 78
_CAPTION_LINE = 18
_LEAST, _MOST = 0.1, 10.0
_MET, _MISSED, _FAINT = "#2e7d32", "#c62828", "#9e9e9e"
_WIDTH = _LABELS + _PLOT + _FIGURES


def draw(rows: Sequence[Row], *, caption: Sequence[str]) -> str:
    """An SVG document, with the caption's lines above the rows.

    A bar that ends left of the line at 1 is a goal that was met; the thin line is the range.
    """
    height = _TOP + _LINE * len(rows) + 16
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="13" role="img">\n'
        f'<title>contactsync bench all</title>\n<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>\n'
    )
    words = [_text(12, 18 + _CAPTION_LINE * place, line) for place, line in enumerate(caption)]
    lines = [*_scale(height), *words]
    for place, row in enumerate(rows):
        lines.extend(_row(row, _TOP + _LINE * place))
    return head + "\n".join(lines) + "\n</svg>\n"


def _scale(height: int) -> Iterable[str]:
    for part in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        at, strong = _at(part), part == 1
        stroke = "#000000" if strong else "#e0e0e0"
        yield f'<line x1="{at:.1f}" y1="{_TOP - 8}" x2="{at:.1f}" y2="{height - 12}" stroke="{stroke}"/>'
        yield _text(at, _TOP - 14, "goal" if strong else f"{part:g}×", anchor="middle")


def _row(row: Row, top: int) -> Iterable[str]:
    work, beside, goal, measured, verdict = cells(row)
    middle = top + _LINE // 2 + 4
    yield _text(12, middle, f"{work}{f' / {beside}' if beside else ''}")
    if row.measured is None:
        yield _text(_LABELS + 8, middle, verdict[:60], fill=_FAINT)
        return
    colour = _MET if row.met else _MISSED
    low, high = sorted((share(row, row.measured.least), share(row, row.measured.most)))
    width, y = max(_at(share(row, row.measured.median)) - _LABELS, 3), top + _LINE // 2
    yield f'<rect x="{_LABELS}" y="{top + 6}" width="{width:.1f}" height="{_LINE - 12}" fill="{colour}"/>'
    yield f'<line x1="{_at(low):.1f}" y1="{y}" x2="{_at(high):.1f}" y2="{y}" stroke="#000000" stroke-width="2"/>'
    yield _text(_LABELS + _PLOT + 8, middle, f"{measured.partition(' ')[0]} ({goal}) {verdict}")


def share(row: Row, value: float) -> float:
    """How much of the goal the value is; 1 and below: met."""
    if row.at_least:
        return row.bound / value if value else math.inf
    return value / row.bound if row.bound else (math.inf if value else 0.0)


def _at(part: float) -> float:
    kept = min(max(part, _LEAST), _MOST)
    return _LABELS + _PLOT * math.log(kept / _LEAST) / math.log(_MOST / _LEAST)


def _text(x: float, y: float, words: str, *, anchor: str = "start", fill: str = "#000000") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'

"""Fronts as HTML, for notebooks: a drawing of the first two objectives beside a table.

Names, units and ids come from files and are escaped, every one of them. Colours are those of the page's own text
wherever possible, so that dark and light notebooks can be read; there is no script and no style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from ..problem.objective import Direction, ObjectiveInfo, Quantity, Values
from .text import MOST_ROWS

ACCENT = "#d2603f"  # contrast of at least 3.3 to both white and black
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 380, 250, 62, 14, 12, 44


def html_from_values(heading: str, drawing: str, table: str) -> str:
    """Return a front as HTML: its drawing beside its table."""
    return (
        f'<div style="font-size:13px"><div style="margin:4px 0 8px"><b>{escape(heading)}</b></div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:20px;align-items:flex-start">{drawing}{table}</div></div>'
    )


def table(ids: Sequence[str], quantities: Sequence[Quantity], rows: Sequence[Sequence[float]], knee: str) -> str:
    """Return the members as an HTML table, the one called `knee` marked; long fronts are cut, and say so."""
    head = cells("th", ["id", *(quantity.head for quantity in quantities)])
    body = [
        cells("td", [id_ + (" knee" if id_ == knee else ""), *(f"{v:,.6g}" for v in values)])
        for id_, values in zip(ids[:MOST_ROWS], rows)
    ]
    rest = len(rows) - len(body)
    more = f'<div style="opacity:.7">and {rest} more</div>' if rest else ""
    lines = "".join(f"<tr>{row}</tr>" for row in [head, *body])
    return f'<div><table style="border-collapse:collapse;color:inherit;font:inherit">{lines}</table>{more}</div>'


def cells(tag: str, texts: Sequence[str]) -> str:
    """Return a row's cells, the first to the left, numbers to the right."""
    line = "1px solid" if tag == "th" else "1px solid rgba(128,128,128,.3)"
    style = f"padding:2px 10px;border:0;border-bottom:{line};background:none;color:inherit;text-align:"
    return "".join(
        f'<{tag} style="{style}{"right" if i else "left"}">{escape(text)}</{tag}>' for i, text in enumerate(texts)
    )


def scatter(everything: Values, best: Values, objectives: Sequence[ObjectiveInfo]) -> str:
    """Return an SVG: the second objective to the right, the first upward, the front as a line of dots."""
    first, second = objectives[:2]
    x_ticks, y_ticks = ticks(everything[:, 1]), ticks(everything[:, 0])

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - y_ticks[0]) / (y_ticks[-1] - y_ticks[0])

    grid = [
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}" stroke="currentColor" '
        f'stroke-opacity=".15"/><text x="{LEFT - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:,.6g}</text>'
        for v in y_ticks
    ]
    grid += [f'<text x="{x(v):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{v:,.6g}</text>' for v in x_ticks]
    dots = [f'<circle cx="{x(v[1]):.1f}" cy="{y(v[0]):.1f}" r="2.5" fill-opacity=".4"/>' for v in everything]
    order = np.argsort(best[:, 1], kind="stable")
    marks = [f'<circle cx="{x(best[i, 1]):.1f}" cy="{y(best[i, 0]):.1f}" r="4" fill="{ACCENT}"/>' for i in order]
    edge = steps(best[order], second.direction) if len(objectives) == 2 else []  # of more, two show no edge
    line = " ".join(f"{x(right):.1f},{y(up):.1f}" for right, up in edge)
    middle = (TOP + HEIGHT - BOTTOM) / 2
    labels = (
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{escape(second.head)}</text>"
        f'<text transform="translate(13 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(first.head)}</text>"
    )
    return (
        f'<svg width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" fill="currentColor" '
        f'font-size="11" style="flex:none">{"".join(grid)}{labels}{"".join(dots)}'
        f'<polyline points="{line}" fill="none" stroke="{ACCENT}"/>{"".join(marks)}</svg>'
    )


def steps(best: Values, direction: Direction) -> list[tuple[float, float]]:
    """Return the edge of what a front dominates, as (second, first) objective; `best` (n, m) ascends in the second."""
    points = [(float(best[0, 1]), float(best[0, 0]))]
    for up, right in best[1:, :2]:
        corner = (right, points[-1][1]) if direction == "min" else (points[-1][0], up)
        points += [corner, (float(right), float(up))]
    return points


def ticks(values: Values) -> list[float]:
    """Return 3 to 7 round numbers that enclose `values` (n,)."""
    low, high = float(values.min()), float(values.max())
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or size < 1e-200:
        margin = 0.1 * size if size >= 1e-200 else 1.0
        low, high = low - margin, high + margin
    raw = (high - low) / 4
    exponent = int(np.floor(np.log10(raw)))
    step = float(
        next(factor * 10.0**exponent for factor in (1, 2, 2.5, 5, 10) if factor * 10.0**exponent >= 0.999 * raw)
    )
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return [round(i * step, 3 - exponent) for i in range(first, last + 1)]

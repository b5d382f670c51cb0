"""Fronts as plain text, for `print` and prompts."""

from __future__ import annotations

from collections.abc import Sequence

from ..problem.objective import ObjectiveInfo, Quantity

MOST_ROWS = 30


def line_from_values(objectives: Sequence[ObjectiveInfo], values: Sequence[Sequence[float]]) -> str:
    """Return a front of (n, m) values in one line: how many members, and the range of each objective."""
    ranges = [
        f"{objective.head} {min(column):.4g} to {max(column):.4g}"
        for objective, column in zip(objectives, zip(*values))
    ]
    return f"ParetoFront({len(values)} members: {', '.join(ranges)})"


def text_from_values(ids: Sequence[str], quantities: Sequence[Quantity], rows: Sequence[Sequence[float]]) -> str:
    """Return a front as a table, a row of values a member; long ones are cut, and say so."""
    heads = ["id", *(quantity.head for quantity in quantities)]
    cells = [[id_, *(f"{value:,.6g}" for value in values)] for id_, values in zip(ids, rows)]
    lines = [f"Pareto front of {len(cells)}", *aligned([heads, *cells[:MOST_ROWS]])]
    return "\n".join(lines + [f"and {len(cells) - MOST_ROWS} more"] * (len(cells) > MOST_ROWS))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths)))
        for row in rows
    ]

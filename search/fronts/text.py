"""Runs and fronts as plain text, for `print` and prompts: what was spent, and a table of the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import SearchError

if TYPE_CHECKING:
    from ..runs.run import Run
    from .pareto import ParetoFront

MOST_ROWS = 30


def effort_of(run: Run) -> str:
    """Say what a run has done and spent: `18 validations and 20 partial evaluations, cost 20 of 20`.

    A validation is on all examples, a partial evaluation on a share of them, and costs that share.
    """
    full = sum(evaluation.is_full for evaluation in run.evaluations)
    counts = [(full, "validation"), (len(run.glimpses), "partial evaluation")]
    said = " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n or what == "validation")
    failed = f", {len(run.failures)} failed" if run.failures else ""
    return f"{said}{failed}, cost {run.cost:.4g} of {run.config.budget}"


def name_of(run: Run) -> str:
    """Return a run in one line."""
    return f"Run({run.folder}: {run.config.space} by {run.config.tactic}, {effort_of(run)})"


def text_from_run(run: Run) -> str:
    """Return a run as text: what was spent, and its front, or why there is none."""
    lines = [f"{run.folder}: {run.config.space} by {run.config.tactic}, {effort_of(run)}"]
    if run.pricing is not None:
        lines.append(str(run.pricing))
    try:
        lines.append(text_from_front(run.front()))
    except SearchError as error:
        lines.append(str(error))
    return "\n".join(lines)


def line_from_front(front: ParetoFront) -> str:
    """Return a front in one line: how many members, and the range of each objective."""
    ranges = [
        f"{objective.head} {min(column):.4g} to {max(column):.4g}"
        for objective, column in zip(front.objectives, zip(*front.values))
    ]
    return f"ParetoFront({len(front.values)} members: {', '.join(ranges)})"


def text_from_front(front: ParetoFront) -> str:
    """Return a front as a table, best in the first objective first; long ones are cut, and say so."""
    heads = ["id", *(quantity.head for quantity in front.quantities)]
    rows = [
        [architecture.id, *(f"{value:,.6g}" for value in values)]
        for architecture, values in zip(front.architectures, front.rows)
    ]
    count = len(rows)
    lines = [f"Pareto front of {count}", *aligned([heads, *rows[:MOST_ROWS]])]
    return "\n".join(lines + [f"and {count - MOST_ROWS} more"] * (count > MOST_ROWS))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines, the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return [
        "  ".join(cell.rjust(width) if i else cell.ljust(width) for i, (cell, width) in enumerate(zip(row, widths)))
        for row in rows
    ]

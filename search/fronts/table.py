"""A run or a front as one flat table: the columns that files for other tools and pandas have.

Objectives carry their unit in the column's name (accuracy_percent, latency_us), genes go by their own name and hold
option values. What is constrained without being an objective stands beside the objectives, and the deployment in which
a network is fastest as its label. A gene or objective whose name another column has already is called gene.NAME or
objective.NAME.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...supernets import SearchSpace
from ...supernets.packages import install_command

if TYPE_CHECKING:
    import pandas

    from ..problem.objective import Quantity

Cell = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """Column names, all different, and rows of as many cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def column(self, name: str) -> tuple[Cell, ...]:
        """Return a column's cells; raises ValueError for a name that no column has."""
        position = self.columns.index(name)
        return tuple(row[position] for row in self.rows)


def frame_from_table(table: Table) -> pandas.DataFrame:
    """Return a table as a pandas data frame; raises ModuleNotFoundError, with the way to install it, without pandas."""
    try:
        import pandas
    except ImportError as error:
        raise ModuleNotFoundError(
            f"a frame needs pandas, which is not installed: {install_command('pandas')}", name="pandas"
        ) from error
    return pandas.DataFrame(list(table.rows), columns=list(table.columns))


def columns_of(
    first: Sequence[str], objectives: Sequence[Quantity], space: SearchSpace, *, beside: Sequence[str] = ()
) -> tuple[str, ...]:
    """Name the columns: `first`, the objectives with their units, what is `beside` them, the genes; no name twice."""
    names = list(first)
    for objective in objectives:
        names.append(distinct(column_from_objective(objective.name, objective.unit), names, "objective"))
    names += beside
    for choice in space.choices:
        names.append(distinct(choice.name, names, "gene"))
    return tuple(names)


def column_from_objective(name: str, unit: str) -> str:
    """Return the column of an objective: its name and unit, once where they are the same word."""
    word = re.sub(r"\W+", "_", unit.replace("%", "percent")).strip("_")
    return f"{name}_{word}" if word and word.lower() != name.lower() else name


def distinct(name: str, taken: Sequence[str], prefix: str) -> str:
    """Return `name`, with as many prefixes as make it none of `taken`."""
    while name in taken:
        name = f"{prefix}.{name}"
    return name

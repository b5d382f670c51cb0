"""Comma-separated values: one line of column names, then one line an evaluation; for any spreadsheet.

Spreadsheets run text that begins with = + - @ as a formula, so such text gets an apostrophe in front, as does text
that begins with an apostrophe: taking one off gives the text back. Numbers are written to the last digit, no value as
an empty cell, truth as true and false.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ....profilers.files import read_file
from ....profilers.journal import write_atomically
from ...fronts.table import Cell
from ...runs.run import Run
from ...runs.table import RUN_COLUMNS

SUFFIXES = (".csv",)

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def write(run: Run, path: Path) -> int:
    """Write every evaluation; nothing is left out."""
    table = run.table()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    for row in (table.columns, *table.rows):
        writer.writerow([cell_from_value(value) for value in row])
    write_atomically(path, text.getvalue())
    return 0


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote it, by its first columns."""
    return read_file(path).startswith(",".join(f'"{name}"' for name in RUN_COLUMNS).encode())


def cell_from_value(value: Cell) -> int | float | str | None:
    """Return what a cell holds; text that a spreadsheet could run is made plain."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.lstrip(" ").startswith(DANGEROUS):
        return f"'{value}"
    return value

"""Comma-separated values: facts as `# name: value` lines (values in JSON), then `layer,latency_us[,iqr_us][,visits]`.

Other tools' tables are read too, as long as they name the unit: latency_ns, latency_us, latency_ms or latency_s.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ....profilers.files import read_file
from ....profilers.journal import write_atomically
from ...errors import TableUnreadable
from ...profile_file.profile import HardwareProfile
from ..table import FACTS, Exchange, Row, checked_facts, facts_of, rows_of, without_repeats

SUFFIXES = (".csv",)

COLUMNS = ("layer", "latency_us", "iqr_us", "visits")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # what a formula may begin with, for some spreadsheet
UNITS_US = {"latency_us": 1.0, "latency_ns": 1e-3, "latency_ms": 1e3, "latency_s": 1e6}


def write(profile: HardwareProfile, path: Path) -> tuple[str, ...]:
    """Write every layer at full precision; nothing is left out."""
    text = io.StringIO()
    for name, value in facts_of(profile).items():
        text.write(f"# {name}: {json.dumps(value)}\n")
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(COLUMNS)
    for row in rows_of(profile):
        writer.writerow((cell_from_text(row.key), row.value_us, row.iqr_us, row.visits))
    write_atomically(path, text.getvalue())
    return ()


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote the file: it begins with our facts and has exactly our columns."""
    facts, _, rest = read_file(path).decode("utf-8", "replace").partition('"layer",')
    columns = ",".join(f'"{name}"' for name in COLUMNS)
    return facts.startswith("# space: ") and "\n# space_digest: " in facts and f'"layer",{rest}'.startswith(columns)


def read(path: Path) -> Exchange:
    """Return rows and facts; raises TableUnreadable, naming the line."""
    rest = read_file(path).decode("utf-8-sig")
    facts: dict[str, str] = {}
    count = 0
    while rest.startswith("#"):
        line, _, rest = rest.partition("\n")
        count += 1
        facts |= fact_of(line, f"{path}, line {count}")
    table = csv.DictReader(io.StringIO(rest, newline=""), strict=True)
    try:
        names = table.fieldnames or []
        unit = unit_column(names, f"{path}, line {count + 1}")
        rows = without_repeats(rows_in(table, unit, f"{path}, line", count))
    except csv.Error as error:
        raise TableUnreadable(f"{path}, line {count + table.line_num}: {error}") from error
    return Exchange(rows, facts)


def fact_of(line: str, where: str) -> dict[str, str]:
    """Return the fact of a comment line; none for a comment of another form."""
    name, separator, value = line.lstrip("#").strip().partition(": ")
    try:
        return checked_facts({name: json.loads(value)}, where) if separator and name in FACTS else {}
    except (json.JSONDecodeError, RecursionError):
        return {}


def unit_column(names: Sequence[str], where: str) -> str:
    """Return the name of the column that holds the latency; raises TableUnreadable unless there is exactly one."""
    units = [name for name in names if name in UNITS_US]
    if "layer" not in names or len(units) != 1 or len(set(names)) != len(names):
        raise TableUnreadable(
            f"{where}: found the columns {', '.join(map(repr, names)) or 'none'}; expected layer and one of "
            f"{', '.join(UNITS_US)} (the unit must be in the name), and perhaps iqr_us and visits"
        )
    return units[0]


def rows_in(table: csv.DictReader[str], unit: str, where: str, offset: int) -> Iterator[tuple[str, Row]]:
    """Yield the rows, each with where it stands."""
    for cells in table:
        at = f"{where} {offset + table.line_num}"
        if None in cells or None in cells.values():
            raise TableUnreadable(f"{at}: expected {len(table.fieldnames or [])} cells")
        value = number(cells, unit, at)
        iqr, visits = (optional(cells, name, at) for name in ("iqr_us", "visits"))
        key = text_from_cell(cells["layer"])
        yield at, Row(key, value * UNITS_US[unit], iqr, None if visits is None else int(visits))


def cell_from_text(text: str) -> str:
    """Return text as a cell that no spreadsheet runs: an apostrophe stands before what begins as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(DANGEROUS) else text


def text_from_cell(cell: str) -> str:
    """Return the text of a cell, without the apostrophe of `cell_from_text`."""
    return cell[1:] if cell[:1] == "'" and cell[1:].lstrip(" ").startswith(DANGEROUS) else cell


def optional(cells: Mapping[str, str], name: str, where: str) -> float | None:
    """Return a cell as a number; None when the column is absent or the cell empty; raises TableUnreadable."""
    if not cells.get(name, "").strip():
        return None
    value = number(cells, name, where)
    if not 0 <= value < 1e18:
        raise TableUnreadable(f"{where}: {name} is {value:g}; expected a number of at least 0")
    return value


def number(cells: Mapping[str, str], name: str, where: str) -> float:
    """Return a cell as a number; raises TableUnreadable."""
    try:
        return float(cells[name])
    except ValueError as error:
        raise TableUnreadable(f"{where}: {name} is {cells[name]!r}; expected a number") from error

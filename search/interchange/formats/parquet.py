"""Apache Parquet through pyarrow: the columns of the CSV with their types, and the run's description as JSON in the
schema's metadata.
"""

from __future__ import annotations

import io
from pathlib import Path

from ....profilers.files import read_file
from ....profilers.journal import write_atomically
from ...fronts.table import Cell
from ...runs.run import Run

SUFFIXES = (".parquet",)

METADATA = b"gnomon.run"
FOOTER_BYTES = 1 << 20


def write(run: Run, path: Path) -> int:
    """Write every evaluation; nothing is left out. Raises ModuleNotFoundError without pyarrow."""
    import pyarrow
    import pyarrow.parquet

    table = run.table()
    arrays = [pyarrow.array(of_one_type(table.column(name))) for name in table.columns]
    description = run.header.model_dump_json(by_alias=True).encode()
    content = io.BytesIO()
    named = pyarrow.table(arrays, names=list(table.columns)).replace_schema_metadata({METADATA: description})
    pyarrow.parquet.write_table(named, content)
    write_atomically(path, content.getvalue())
    return 0


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote it, by the name of the run's description in its footer."""
    content = read_file(path)
    return content.startswith(b"PAR1") and METADATA in content[-FOOTER_BYTES:]


def of_one_type(cells: tuple[Cell, ...]) -> list[Cell]:
    """Return a column's cells as text where numbers and text are mixed, which a typed column cannot hold."""
    has_text = any(isinstance(cell, str) for cell in cells)
    return [str(cell) if has_text and cell is not None else cell for cell in cells]

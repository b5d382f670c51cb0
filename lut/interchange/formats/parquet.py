"""Apache Parquet through pyarrow: the columns of the CSV, and the facts as JSON in the schema's metadata."""

from __future__ import annotations

import io
import json
from pathlib import Path

from ....profilers.files import read_file
from ....profilers.journal import write_atomically
from ...errors import TableUnreadable
from ...profile_file.profile import HardwareProfile
from ..table import Exchange, Row, facts_of, parsed_facts, rows_of, without_repeats
from .csv import UNITS_US, unit_column

SUFFIXES = (".parquet",)

METADATA = b"gnomon.table"
MOST_ROWS = 100_000
FOOTER_BYTES = 1 << 20


def write(profile: HardwareProfile, path: Path) -> tuple[str, ...]:
    """Write every layer; nothing is left out. Raises ModuleNotFoundError without pyarrow."""
    import pyarrow
    import pyarrow.parquet

    rows = rows_of(profile)
    schema = pyarrow.schema(
        [
            ("layer", pyarrow.string()),
            ("latency_us", pyarrow.float64()),
            ("iqr_us", pyarrow.float64()),
            ("visits", pyarrow.int64()),
        ],
        metadata={METADATA: json.dumps(facts_of(profile)).encode()},
    )
    columns = [[row.key for row in rows], [row.value_us for row in rows], [row.iqr_us for row in rows]]
    table = pyarrow.table([*columns, [row.visits for row in rows]], schema=schema)
    content = io.BytesIO()
    pyarrow.parquet.write_table(table, content)
    write_atomically(path, content.getvalue())
    return ()


def is_ours(path: Path) -> bool:
    """Tell whether `write` wrote the file: its footer holds our facts."""
    content = read_file(path)
    return content.startswith(b"PAR1") and METADATA in content[-FOOTER_BYTES:]


def read(path: Path) -> Exchange:
    """Return rows and facts; raises TableUnreadable, and ModuleNotFoundError without pyarrow."""
    import pyarrow
    import pyarrow.parquet

    content = read_file(path)
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
        if file.metadata.num_rows > MOST_ROWS:
            raise TableUnreadable(f"{path} has {file.metadata.num_rows} rows; expected {MOST_ROWS} at most")
        unit = unit_column(file.schema_arrow.names, str(path))
        wanted = [name for name in ("layer", unit, "iqr_us", "visits") if name in file.schema_arrow.names]
        table = file.read(columns=wanted)
        columns = {name: table.column(name).to_pylist() for name in wanted}
    except (pyarrow.ArrowException, OSError) as error:
        raise TableUnreadable(f"{path} is not a readable Parquet file: {error}") from error
    metadata = (file.schema_arrow.metadata or {}).get(METADATA)
    facts = {} if metadata is None else parsed_facts(metadata.decode("utf-8", "replace"), str(path))
    none = [None] * table.num_rows
    cells = zip(columns["layer"], columns[unit], columns.get("iqr_us", none), columns.get("visits", none))
    rows = ((f"{path}, row {n}", row_of(f"{path}, row {n}", unit, cell)) for n, cell in enumerate(cells, 1))
    return Exchange(without_repeats(rows), facts)


def row_of(where: str, unit: str, cells: tuple[object, object, object, object]) -> Row:
    """Return a row of cells; raises TableUnreadable for a cell of another type."""
    key, value, iqr, visits = cells
    if not isinstance(key, str):
        raise TableUnreadable(f"{where}: layer is {key!r}; expected text")
    if not isinstance(value, (int, float)):
        raise TableUnreadable(f"{where}: {unit} is {value!r}; expected a number")
    if not isinstance(iqr, (int, float, type(None))) or not isinstance(visits, (int, type(None))):
        raise TableUnreadable(f"{where}: iqr_us is {iqr!r} and visits {visits!r}; expected a number and a whole one")
    return Row(key, value * UNITS_US[unit], iqr, visits)

"""Latency tables in the formats of others: a folder registry, one file a format, found by its file name.

A format module has `SUFFIXES`, `read(path) -> Exchange` and `write(profile, path) -> tuple[str, ...]`, which returns
the keys of the layers that the format cannot express. Readers return what the file holds, right or wrong: the lint
judges whether it can be true, and nothing is repaired or dropped on the way.
"""

from .registry import format_names, format_of, read_table, write_table
from .table import Exchange, Row, facts_of, rows_of

__all__ = ["Exchange", "Row", "facts_of", "format_names", "format_of", "read_table", "rows_of", "write_table"]

"""Runs in the formats of others: a folder registry, one file a format, found by its file name.

A format module has `SUFFIXES` and `write(run, path) -> int`, which returns how many evaluations the format has no
word for. Writing is one way: a run folder is the evidence, and what other tools change is not read back.
"""

from .registry import format_names, format_of, write_run

__all__ = ["format_names", "format_of", "write_run"]

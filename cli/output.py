"""How verbs print: tables and JSON to stdout, progress to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from .completion import backend_names

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Backend = Annotated[str, typer.Option(help="Runtime; gnomon backends lists them.", autocompletion=backend_names)]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]


def print_json(value: object) -> None:
    """Print `value` as JSON."""
    print(json.dumps(value, indent=2, sort_keys=True, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a plain aligned table; text that looks like markup is printed as it is."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numeric = [bool(rows) and all(isinstance(row[i], (int, float)) for row in rows) for i in range(len(columns))]
    for column, right in zip(columns, numeric):
        table.add_column(Text(column), justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell if isinstance(cell, str) else number(cell)) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)


def number(value: object) -> str:
    """Format a number with four significant digits and thousands' separators; nothing as a dash."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:,.0f}" if abs(value) >= 10000 else f"{value:.4g}"


def say(step: str) -> None:
    """Tell what happens now, on stderr."""
    print(step, file=sys.stderr, flush=True)


def say_if_not_interruptible() -> None:
    """Tell whoever starts something long, on stderr, when Ctrl-C will not stop it."""
    from ..profilers.interrupts import why_not_interruptible

    if told := why_not_interruptible():
        say(told)


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, float, float, str], None]]:
    """Show done, total and ETA on stderr: a bar on a terminal, else a line every ten seconds.

    Yields a function of (done, total, eta_s, note).
    """
    if not sys.stderr.isatty():
        last = [time.monotonic() - 8.0]

        def plain(done: float, total: float, eta_s: float, note: str) -> None:
            if time.monotonic() - last[0] >= 10 or done == total:
                last[0] = time.monotonic()
                print(f"{title}: {done:g}/{total:g}, ETA {eta_s:.0f} s  {note}".rstrip(), file=sys.stderr, flush=True)

        yield plain
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[note]}"))
    # No refreshing thread: this process should sleep while a worker measures.
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
        task = bar.add_task(title, total=None, note="")

        def drawn(done: float, total: float, eta_s: float, note: str) -> None:
            bar.update(task, completed=done, total=total, note=f"ETA {eta_s:.0f} s  {note}", refresh=True)

        yield drawn


def worker_progress(report: Callable[[float, float, float, str], None]) -> Callable[[Mapping[str, Any]], None]:
    """Adapt `report` to the events of a timing worker."""
    return lambda event: report(event["done"], event["total"], event["eta_s"], f"pass {event['pass'] + 1}")

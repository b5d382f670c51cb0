"""How verbs report on stderr: steps, and progress with an estimate of the time left."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...printable import printable


def say(step: str) -> None:
    """Print a step to stderr, in one line."""
    print(printable(step), file=sys.stderr, flush=True)


def seldom(every_s: float = 10.0) -> Callable[[str], None]:
    """Return what prints a step to stderr, unless another was printed less than `every_s` seconds ago."""
    last_s = [-math.inf]

    def say_now_and_then(step: str) -> None:
        if time.monotonic() - last_s[0] >= every_s:
            last_s[0] = time.monotonic()
            say(step)

    return say_now_and_then


def say_if_not_interruptible() -> None:
    """Warn on stderr, before something long, when Ctrl-C will not stop it."""
    from ...profilers.interrupts import why_not_interruptible

    if told := why_not_interruptible():
        say(told)


def can_redraw() -> bool:
    """Tell whether stderr is a terminal on which lines can be drawn anew."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, float, float, str], None]]:
    """Show done, total and ETA on stderr: a bar on a terminal, else a line every ten seconds.

    Yields a function of (done, total, eta_s, note).
    """
    if not can_redraw():
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

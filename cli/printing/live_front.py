"""How far a search is, on stderr: a small block with the front, drawn anew where that is a terminal; else plain lines.

The block goes when the search ends, and the cursor stays visible, so that whatever ends the search leaves the terminal
as it was. Nothing is drawn by a thread: this process should sleep while a worker measures.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...printable import printable
from .progress import can_redraw, progress
from .scatter import MEMBER, WIDTH, scatter_lines

if TYPE_CHECKING:
    from ...search import SearchProgress

EVERY_S = 0.1  # between two drawings
FRONT_COLOUR = "cyan"
IN_ASCII = str.maketrans("│└─·", "|+-.")


@contextmanager
def search_progress(title: str) -> Iterator[Callable[[SearchProgress], None]]:
    """Show a search until the block ends; yields what to call after each measurement."""
    if not can_redraw():
        with progress(title) as report:
            yield lambda seen: report(round(seen.spent, 2), seen.budget, seen.eta_s, volume_said(seen))
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(stderr=True)
    drawn_s = -math.inf

    def draw(seen: SearchProgress) -> None:
        nonlocal drawn_s
        if time.monotonic() - drawn_s < EVERY_S and seen.eta_s > 0:
            return
        lines = [printable(line) for line in block_lines(title, seen, width=console.width - 1)]
        drawn = "\n".join(lines).translate(IN_ASCII if console.options.ascii_only else {})
        text = Text(drawn, no_wrap=True, overflow="ellipsis")
        text.highlight_words([MEMBER], FRONT_COLOUR)
        shown.update(text, refresh=True)
        drawn_s = time.monotonic()

    shown = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=sys.stdout.isatty())
    with shown:
        console.show_cursor(True)  # a process that is killed shows it no more
        yield draw


def volume_said(seen: SearchProgress) -> str:
    """Say the hypervolume."""
    return f"hypervolume {seen.hypervolume:.4g}"


def block_lines(title: str, seen: SearchProgress, *, width: int) -> list[str]:
    """Return the lines of the block: cost and time, the front, and a scatter of it, at most `width` characters wide."""
    from ...search.errors import SearchError

    run = seen.run
    failed = f", {len(run.failures)} failed" if run.failures else ""
    head = [title, f"cost     {seen.spent:.4g} of {seen.budget}, ETA {seen.eta_s:.0f} s"]
    try:
        front = run.front()
    except SearchError as error:
        return [*head, f"front    {error}{failed}"]
    said = f"front    {len(front.values)} of {len(run.measured)} measured{failed}; {volume_said(seen)}"
    heads = [objective.head for objective in run.objectives]
    if len(heads) == 1:
        return [*head, said, f"best     {heads[0]} {front.values[0][0]:.6g}"]
    return [*head, said, *scatter_lines(run.values, front.values, heads, width=min(WIDTH, width))]

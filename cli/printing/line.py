"""How verbs print one line in which something stands that a file said."""

from __future__ import annotations

from ...printable import printable


def print_line(text: str) -> None:
    """Print `text` to stdout in one line, with control characters shown and not obeyed."""
    print(printable(text))

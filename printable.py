"""Text of files and of other programs as a terminal may show it: in one line, and commanding nothing.

A terminal obeys control characters: they clear what stands above, or print a line that nobody said. Marks that turn
the direction of writing show text in another order than it has. This file imports nothing.
"""

from __future__ import annotations

import unicodedata

UNSHOWN = {"Cc", "Cf", "Zl", "Zp", "Cs"}  # control, format, line and paragraph separators, halves of surrogates


def printable(text: str) -> str:
    """Return `text` with what a terminal would obey or hide written as Python writes it, such as \\x1b and \\n."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(escaped(one) if unicodedata.category(one) in UNSHOWN else one for one in text)


def in_one_line(text: str) -> str:
    """Return `text` as `printable` does, with spaces for its breaks of lines."""
    return printable(" ".join(text.splitlines()))


def escaped(character: str) -> str:
    """Return a character as Python writes it in a string."""
    return character.encode("unicode_escape").decode("ascii")

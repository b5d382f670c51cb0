"""Example sentences of the German-English dictionary of TU Chemnitz (Debian, trans-de-en; GPL-2 or later), as pairs.

A line of its file is `German :: English`, each side a list of forms and phrases between bars. Pairs of phrases that
both end as sentences do are kept; notes in brackets are left out, and of alternatives, between semicolons, the first
counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import DataUnavailable
from .home_assistant import Pair, cleaned, write_splits

NOTES = re.compile(r"\{[^}]*\}|\[[^\]]*\]|\([^)]*\)|<[^>]*>|/[^/]*/")
LEAST_WORDS = 3


def write_pairs(unpacked: Path, folder: Path) -> None:
    """Write train, valid and test, each .en and .de, one sentence a line; raises DataUnavailable."""
    path = unpacked / "de-en"
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise DataUnavailable(f"cannot read the dictionary {path}: {error}") from error
    write_splits((pair for line in lines for pair in sentences_of(line)), folder)


def sentences_of(line: str) -> Iterator[Pair]:
    """Yield the pairs (English, German) of sentences in a line of the dictionary."""
    german, separator, english = line.partition(" :: ")
    sides = [side.split(" | ") for side in (english, german)]
    if not separator or line.startswith("#") or len(sides[0]) != len(sides[1]):
        return
    for phrases in zip(*sides):
        source, target = (cleaned(NOTES.sub("", phrase.split(";")[0])) for phrase in phrases)
        if all(text.endswith((".", "?", "!")) for text in (source, target)) and len(source.split()) >= LEAST_WORDS:
            yield source, target

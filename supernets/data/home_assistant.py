"""English and German texts of Home Assistant's user interface (Apache-2.0), as sentence pairs.

Each of its integrations holds the same keys in en.json and de.json. Of version 2026.2.3's 44,432 pairs, those that are
one line long and differ between the languages are kept, each source sentence once, with its most frequent translation.

Validation and test hold no source sentence of the training data: a pair belongs to where the hash of its English
sentence, in lower case and without placeholders, digits and punctuation, falls; so two sentences that differ in a
placeholder alone are never on both sides. They are of 5 to 16 words: BLEU compares runs of four, and longer ones would
not fit a decoder of 40 steps.

Chosen over the example sentences of a dictionary (ding.py: 17,801 pairs to train on, of 7.8 English words) because a
small network can learn it: in 22,696 pairs of 5.1 words, 92 % of the held-out German words and 25 % of their runs of
four occur, in the dictionary's 86 % and 2 %, for its sentences are picked to be unlike each other.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..errors import DataUnavailable

SPLITS = {"valid": (0, 19), "test": (19, 38)}  # of 256 hash values
WORDS_HELD_OUT = range(5, 17)
SOURCE, TARGET = "en", "de"

Pair = tuple[str, str]


def write_pairs(unpacked: Path, folder: Path) -> None:
    """Write train, valid and test, each .en and .de, one sentence a line, and the licence; raises DataUnavailable."""
    write_splits((pair for component in components(unpacked) for pair in pairs_of(component)), folder)
    for licence in unpacked.glob("*.dist-info/licenses/LICENSE.md"):
        shutil.copy(licence, folder / "LICENSE-home-assistant")


def write_splits(pairs: Iterable[Pair], folder: Path) -> None:
    """Write pairs as train, valid and test, each .en and .de, one a source sentence."""
    lines: dict[str, list[Pair]] = {"train": [], "valid": [], "test": []}
    for pair in distinct_pairs(pairs):
        lines[split_of(pair[0])].append(pair)
    for split, found in lines.items():
        for side, language in enumerate((SOURCE, TARGET)):
            text = "".join(f"{pair[side]}\n" for pair in found)
            (folder / f"{split}.{language}").write_text(text, encoding="utf-8")


def components(unpacked: Path) -> list[Path]:
    """Return the folders of translations, sorted; raises DataUnavailable when there is none."""
    found = sorted(path.parent for path in unpacked.glob(f"homeassistant/components/*/translations/{TARGET}.json"))
    if not found:
        raise DataUnavailable(f"{unpacked} holds no homeassistant/components/*/translations/{TARGET}.json")
    return found


def pairs_of(translations: Path) -> Iterator[Pair]:
    """Yield the pairs of one integration, in the order of its English texts."""
    english, german = (
        dict(texts_of(json.loads((translations / f"{language}.json").read_text(encoding="utf-8"))))
        for language in (SOURCE, TARGET)
    )
    for key, source in english.items():
        if key in german:
            yield cleaned(source), cleaned(german[key])


def texts_of(content: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the texts in nested objects with their keys."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from texts_of(value, (*prefix, key))
        elif isinstance(value, str):
            yield (*prefix, key), value


def cleaned(text: str) -> str:
    """Return the text in normal form C without needless spaces; line breaks stay, so that they can be refused."""
    return re.sub(r"[^\S\n]+", " ", unicodedata.normalize("NFC", text)).strip()


def distinct_pairs(pairs: Iterable[Pair]) -> list[Pair]:
    """Return one pair a source sentence, sorted; among its translations the most frequent, then the first."""
    seen: dict[str, Counter[str]] = {}
    for source, target in pairs:
        if source and target and source != target and "\n" not in source + target:
            seen.setdefault(source, Counter())[target] += 1
    return [(source, seen[source].most_common(1)[0][0]) for source in sorted(seen)]


def split_of(source: str) -> str:
    """Return the split that a pair with this English sentence belongs to."""
    if len(source.split()) not in WORDS_HELD_OUT:
        return "train"
    essence = " ".join(re.sub(r"\{[^}]*\}|[\W\d_]+", " ", source.lower()).split())
    value = hashlib.sha256(essence.encode()).digest()[0]
    return next((split for split, (first, last) in SPLITS.items() if first <= value < last), "train")

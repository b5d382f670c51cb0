"""Byte-pair encoding (arXiv 1508.07909) of a vocabulary that the `tokenizers` package has learned.

The file is that package's JSON; reading it takes nothing but this module, so that a translator on a device can do the
same in thirty lines. Spaces become the letter ▁, one is put in front, a text is cut into words and single other
characters, and within each the pair that was merged first in learning is merged first.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

from ..errors import DataUnavailable
from .reading import read_content

PADDING, START, END, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
SPECIAL = (PADDING, START, END, UNKNOWN)  # ids 0 to 3
SPACE = "▁"
PIECES = rf"{SPACE}?\w+|{SPACE}?[^\w{SPACE}]|{SPACE}"


class Vocabulary:
    """Tokens of two languages, and the merges that lead to them. Its content is the JSON file's."""

    def __init__(self, content: bytes, origin: str = "the vocabulary") -> None:
        self.content = content
        try:
            model = json.loads(content)["model"]
            self.ids: dict[str, int] = dict(model["vocab"])
            merges = [tuple(pair.split(" ")) if isinstance(pair, str) else tuple(pair) for pair in model["merges"]]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataUnavailable(f"{origin} is no vocabulary of the tokenizers package: {error!r}") from error
        if [self.ids.get(token) for token in SPECIAL] != list(range(len(SPECIAL))):
            raise DataUnavailable(f"{origin} must begin with the tokens {', '.join(SPECIAL)}, in this order")
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self.tokens = {number: token for token, number in self.ids.items()}
        self.word = lru_cache(maxsize=65536)(self.merged)

    @staticmethod
    def from_file(path: Path) -> Vocabulary:
        """Read a vocabulary; raises DataUnavailable."""
        try:
            return Vocabulary(read_content(path), str(path))
        except OSError as error:
            raise DataUnavailable(
                f"cannot read the vocabulary {path}: {error}; "
                "make one of your pairs: gnomon.supernets.data.vocabulary.learned(files, size)"
            ) from error

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def sha256(self) -> str:
        """The digest of the file: two vocabularies with equal ones give the same ids."""
        return hashlib.sha256(self.content).hexdigest()

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, without start and end."""
        if not text:
            return []
        marked = SPACE + unicodedata.normalize("NFC", text).replace(" ", SPACE)
        return [number for piece in re.findall(PIECES, marked) for number in self.word(piece)]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids up to the first end; start, padding and unknown ones are left out."""
        pieces = []
        for number in ids:
            token = self.tokens.get(int(number), "")  # a network has room for ids that no token has
            if token == END:
                break
            pieces.append("" if token in SPECIAL else token)
        return "".join(pieces).replace(SPACE, " ").strip()

    def merged(self, piece: str) -> tuple[int, ...]:
        """Return the ids of one piece."""
        parts = list(piece)
        while len(parts) > 1:
            ranks = [self.ranks.get(pair, len(self.ranks)) for pair in zip(parts, parts[1:])]
            if min(ranks) == len(self.ranks):
                break
            first = ranks.index(min(ranks))
            parts[first : first + 2] = ["".join(parts[first : first + 2])]
        return tuple(self.ids.get(part, self.ids[UNKNOWN]) for part in parts)


def learned(files: Sequence[Path], size: int, *, letters: int = 160) -> Vocabulary:
    """Learn a joint vocabulary of `size` tokens from text files; rarer than the first `letters` letters are unknown.

    Needs the package tokenizers.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=list(SPECIAL), min_frequency=2, limit_alphabet=letters, show_progress=False
    )
    tokenizer.train([str(file) for file in files], trainer)
    return Vocabulary(tokenizer.to_str().encode(), "the learned vocabulary")

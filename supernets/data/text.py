"""Labelled text as a network takes it in: ids of pieces of words, as many as the space says, zeros at the end.

A tokenizer belongs to a model: another one's ids are other words. So weights record the tokenizer that they were
trained with, and an exported model has its own beside it. Texts that are longer than the space's networks take are cut,
and it is counted how many.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataUnavailable
from ..packages import install_command
from ..space.space import SearchSpace
from .labelled import ClassificationTask
from .reading import read_content
from .text_files import Sentence, Splits, read_splits

TOKENIZER = "tokenizer.json"
UNKNOWN = ("[UNK]", "<unk>")


@dataclass(frozen=True)
class Tokenisation:
    """How text becomes ids: the content of a tokenizer.json, the number of tokens, and the id of padding."""

    content: str
    tokens: int
    padding: int

    @cached_property
    def sha256(self) -> str:
        """The digest of the tokenizer's file."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @cached_property
    def exported(self) -> str:
        """The tokenizer, set to cut and to pad every text to exactly so many tokens."""
        tokenizer = loaded(self.content)
        tokenizer.enable_truncation(self.tokens)
        padding = tokenizer.id_to_token(self.padding)
        tokenizer.enable_padding(length=self.tokens, pad_id=self.padding, pad_token=padding)
        return str(tokenizer.to_str())

    @cached_property
    def special_ids(self) -> tuple[int, ...]:
        """The ids that stand for no word: padding, beginnings, ends."""
        return tuple(sorted(loaded(self.content).get_added_tokens_decoder()))

    @cached_property
    def unknown_id(self) -> int:
        """The id of a word that the tokenizer does not know; where it knows all, that of padding."""
        tokenizer = loaded(self.content)
        found = (tokenizer.token_to_id(token) for token in UNKNOWN)
        return next((one for one in found if one is not None), self.padding)

    def ids(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], int]:
        """Return the ids (n, tokens) of texts, and how many of them were cut."""
        encoded = loaded(self.exported).encode_batch(list(texts))
        ids = np.array([one.ids for one in encoded], dtype=np.int64).reshape(-1, self.tokens)
        return ids, sum(bool(one.overflowing) for one in encoded)


def loaded(content: str) -> Any:
    """Return a tokenizer of the tokenizers library from its JSON; raises DataUnavailable."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise DataUnavailable(
            f"text needs the tokenizers library ({error}); run: {install_command('tokenizers')}"
        ) from error
    try:
        return Tokenizer.from_str(content)
    except Exception as error:  # the library raises nothing narrower
        raise DataUnavailable(f"{TOKENIZER} is not a tokenizer of the tokenizers library: {error}") from error


@dataclass(frozen=True, slots=True)
class LabelledText:
    """Texts as ids (n, tokens), labels (n,), how the ids were made, and how many texts of the split were cut."""

    ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    tokenisation: Tokenisation
    classes: tuple[str, ...]
    cut: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, selection: slice | NDArray[np.integer]) -> LabelledText:
        """Return the selected texts."""
        return LabelledText(self.ids[selection], self.labels[selection], self.tokenisation, self.classes, self.cut)

    def inputs(self) -> NDArray[np.int64]:
        """Return the ids, (n, tokens)."""
        return self.ids

    def lengths(self) -> NDArray[np.int64]:
        """Return how many tokens each text has without its padding, at least one, (n,)."""
        positions = np.arange(1, self.ids.shape[1] + 1)
        ends = np.where(self.ids != self.tokenisation.padding, positions, 1)
        return np.asarray(ends.max(axis=1, initial=1), dtype=np.int64)

    def described(self) -> dict[str, Any]:
        """Say how a text becomes ids, and which class each output is."""
        return {
            "tokenizer": TOKENIZER,
            "tokenizer_sha256": self.tokenisation.sha256,
            "tokens": self.tokenisation.tokens,
            "padding_id": self.tokenisation.padding,
            "longer_texts": f"cut to {self.tokenisation.tokens} tokens; {self.cut} were in this split",
            "classes": list(self.classes),
        }

    def companions(self) -> dict[str, bytes]:
        """Return the tokenizer as the exported model needs it: it cuts and pads by itself."""
        return {TOKENIZER: self.tokenisation.exported.encode()}


def tokenisation_of(space: SearchSpace, path: Path) -> Tokenisation:
    """Return the tokenizer in `path`, checked against the vocabulary of `space`; raises DataUnavailable."""
    first = space.unique_layers()[0]
    try:
        content = read_content(path).decode("utf-8")
        json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise DataUnavailable(f"cannot read the tokenizer {path}: {error}; expected a {TOKENIZER}") from error
    size = loaded(content).get_vocab_size()
    if size != first.integer("vocabulary"):
        raise DataUnavailable(
            f"{path} knows {size:,} tokens, the networks of {space.name} {first.integer('vocabulary'):,}; "
            "it is the tokenizer of another model"
        )
    return Tokenisation(content, space.input_shape[0], first.integer("padding"))


def task_of_text(name: str, space: SearchSpace, folder: Path, tokenizer: Path) -> ClassificationTask[LabelledText]:
    """Return the task of the files in `folder`, for the networks of `space`; raises DataUnavailable."""
    _, validation, test = labelled_splits(space, folder, tokenizer)
    return ClassificationTask(name, validation.take(slice(0)), validation, test)  # no batch norm to calibrate


def labelled_splits(
    space: SearchSpace, folder: Path, tokenizer: Path
) -> tuple[LabelledText, LabelledText, LabelledText]:
    """Return what to train on, what validates and what tests; raises DataUnavailable."""
    splits, tokenisation = read_splits(folder), tokenisation_of(space, tokenizer)
    classes = checked_classes(space, folder, splits)

    def labelled(sentences: Sequence[Sentence]) -> LabelledText:
        ids, cut = tokenisation.ids([sentence.text for sentence in sentences])
        labels = np.array([classes.index(sentence.label) for sentence in sentences], dtype=np.int64)
        return LabelledText(ids, labels, tokenisation, classes, cut)

    return labelled(splits.train), labelled(splits.validation), labelled(splits.test)


def checked_classes(space: SearchSpace, folder: Path, splits: Splits) -> tuple[str, ...]:
    """Return the labels in the order of the network's outputs; raises DataUnavailable when their number differs."""
    classes, outputs = splits.labels(), space.unique_layers()[-1].integer("classes")
    if len(classes) != outputs:
        shown = ", ".join(classes[:8]) + (", ..." if len(classes) > 8 else "")
        raise DataUnavailable(
            f"{folder} has {len(classes)} labels ({shown}), the networks of {space.name} tell {outputs} apart; "
            f"name the space {space.name.partition(':')[0]}:classes={len(classes)}"
        )
    return classes

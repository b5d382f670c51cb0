"""A hand-made vocabulary, sentences whose words decide their label, and a BERT of two layers of width 16."""

import csv

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from gnomon.supernets.registry import load_space
from gnomon.supernets.spaces import bert_minilm
from gnomon.supernets.tasks import movie_reviews

GOOD, BAD = ("fine", "bright", "moving"), ("dull", "grim", "stale")
REST = tuple(f"w{n}" for n in range(20))
VOCABULARY = {word: n for n, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *GOOD, *BAD, *REST))}
TINY = bert_minilm.Bert(
    vocabulary=len(VOCABULARY), limit=64, width=16, head_dim=4, depths=(1, 2), heads=(1, 2, 4), hidden=(8, 24)
)


def tokenizer_json():
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    tokenizer.post_processor = TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 2), ("[SEP]", 3)])
    return tokenizer.to_str()


def sentences(n, seed):
    """Texts of 1 to 14 words of which one tells the label."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        label = int(rng.integers(2))
        words = [*rng.choice(REST, rng.integers(0, 14)), rng.choice((BAD, GOOD)[label])]
        yield " ".join(rng.permutation(words)), label


def write_csv(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


@pytest.fixture
def folder(tmp_path):
    """A user's data, the tokenizer among them."""
    made = tmp_path / "reviews"
    made.mkdir()
    for split, n, seed in (("train", 400, 1), ("validation", 60, 2), ("test", 80, 3)):
        write_csv(made / f"{split}.csv", sentences(n, seed))
    (made / "tokenizer.json").write_text(tokenizer_json())
    return made


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def small_bert(monkeypatch):
    """The space `bert_minilm`, two layers small, for 12 tokens."""
    monkeypatch.setattr(bert_minilm, "SIZES", TINY)
    load_space.cache_clear()
    yield load_space("bert_minilm:tokens=12")
    load_space.cache_clear()


@pytest.fixture
def task(small_bert, folder):
    return movie_reviews.load(small_bert, folder)

import gzip

import numpy as np
import pytest
import torch

from gnomon.supernets.data.pairs import SentencePairs, TranslationTask
from gnomon.supernets.data.vocabulary import learned
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.evaluation.translator import Translator
from gnomon.supernets.families.encoder_decoder import EncoderDecoder

SENTENCES = [f"The {thing} is {state}." for thing in ("lamp", "door", "fan", "oven") for state in ("on", "off", "new")]
TRANSLATIONS = [
    f"Das {thing} ist {state}." for thing in ("Licht", "Tor", "Rad", "Rohr") for state in ("an", "aus", "neu")
]
FAMILY = EncoderDecoder(
    vocabulary=70,
    encoder_widths=(8, 16),
    decoder_widths=(12, 24),
    hidden=(8, 32),
    heads=(1, 3),
    encoder_layers=3,
    decoder_layers=(1, 2, 3),
    attended=(1, 2, 3),
    head_dim=lambda heads: 8 if heads == 1 else 4,
)


@pytest.fixture
def space():
    return FAMILY.space("little", "translation", source=24, target=20, steps=5)


@pytest.fixture
def pairs():
    return SentencePairs(tuple(SENTENCES), tuple(TRANSLATIONS))


@pytest.fixture
def folder(tmp_path):
    """A user's own pairs; the validation split is gzipped."""
    place = tmp_path / "pairs"
    place.mkdir()
    for language, lines in (("en", SENTENCES), ("de", TRANSLATIONS)):
        text = "".join(f"{line}\n" for line in lines)
        (place / f"train.{language}").write_text(text, encoding="utf-8")
        (place / f"test.{language}").write_text(text, encoding="utf-8")
        (place / f"valid.{language}.gz").write_bytes(gzip.compress(text.encode()))
    return place


@pytest.fixture
def vocabulary(folder):
    return learned([folder / "train.en", folder / "train.de"], 70)


@pytest.fixture
def network(space):
    """An untrained network, far enough from its initial state that everything matters."""
    torch.manual_seed(3)
    network = ElasticNetwork(space).requires_grad_(False)
    for tensor in network.parameters():
        tensor.add_(0.2 * torch.randn_like(tensor))
    return network


@pytest.fixture
def translator(space, network, pairs, vocabulary):
    return Translator(space, network, TranslationTask("translation", pairs, pairs, vocabulary), "0" * 64)


@pytest.fixture
def architectures(space):
    rows = space.sample(5, np.random.default_rng(4))
    return [space.architecture(row) for row in (space.radices - 1, 0 * space.radices, *rows)]

import hashlib
import json

import numpy as np
import pytest

from gnomon.supernets import CheckpointMismatch, load_space
from gnomon.supernets.data.vocabulary import learned
from gnomon.supernets.evaluation.translator import Translator
from gnomon.supernets.supernet import load_supernet
from gnomon.supernets.tasks.translation import OWN_VOCABULARY
from gnomon.supernets.weight_files import SHIPPED

LARGEST_FLOOR, SMALLEST_FLOOR = 27.4, 21.0


@pytest.fixture(scope="module")
def translator():
    return load_supernet("translate_en_de")


def ends(translator):
    space = translator.space
    return [space.architecture(row) for row in (space.radices - 1, np.zeros_like(space.radices))]


@pytest.mark.slow
def test_shipped_weights_translate(translator):
    """BLEU on the test sentences, which training has not seen; half a point below what was measured."""
    largest, smallest = (translator.evaluate(end, "test") for end in ends(translator))
    assert largest >= LARGEST_FLOOR
    assert smallest >= SMALLEST_FLOOR
    assert largest > smallest


def test_the_record_beside_the_weights_is_theirs(translator):
    record = json.loads((SHIPPED / "translate_en_de.json").read_text())
    weights = (SHIPPED / "translate_en_de.safetensors").read_bytes()
    assert record["sha256"] == hashlib.sha256(weights).hexdigest() == translator.checkpoint_sha256
    assert record["space_digest"] == load_space("translate_en_de").digest
    assert record["lessons"]["vocabulary_sha256"] == translator.task.vocabulary.sha256
    assert len(weights) < 8e6


def test_shipped_weights_refuse_the_vocabulary_of_another_model(folder):
    (folder / OWN_VOCABULARY).write_bytes(learned([folder / "train.en", folder / "train.de"], 90).content)
    with pytest.raises(CheckpointMismatch, match=r"trained with the vocabulary of sha256 .* vocabulary\.json"):
        load_supernet("translate_en_de", data=folder)


def test_own_pairs_are_judged_with_the_shipped_vocabulary(folder):
    translator = load_supernet("translate_en_de", data=folder)
    assert isinstance(translator, Translator)
    assert translator.size("test") == 12
    assert 0 <= translator.evaluate(ends(translator)[1], "test") <= 100


def test_padding_to_other_lengths_changes_no_translation(translator):
    """Options of the space that only say how long sentences may be lead to the same weights and words."""
    longer = load_supernet("translate_en_de:source=40,target=48,steps=20")
    texts = translator.split("test").take(slice(8)).sources
    found = zip(longer.translate(ends(longer)[1], texts), translator.translate(ends(translator)[1], texts))
    assert all(more.startswith(less) for more, less in found)

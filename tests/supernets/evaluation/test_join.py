"""Which super-network evaluates which kind of data."""

from dataclasses import dataclass

import pytest

from gnomon.supernets import DataUnavailable, load_space
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.evaluation.classifier import Classifier
from gnomon.supernets.evaluation.join import supernet_of
from gnomon.supernets.tasks import load_task


@pytest.fixture(scope="module")
def space():
    return load_space("fashion_mnist")


def test_labelled_examples_are_classified(space):
    network = ElasticNetwork(space).eval().requires_grad_(False)
    supernet = supernet_of(load_task(space), space, network, "0" * 64)
    assert isinstance(supernet, Classifier)
    assert supernet.checkpoint_sha256 == "0" * 64


def test_a_task_that_joins_itself_is_asked(space):
    @dataclass
    class Own:
        name: str = "own"

        def supernet(self, space, network, checkpoint_sha256):
            return (self.name, space.name, network, checkpoint_sha256)

    assert supernet_of(Own(), space, "weights", "0" * 64) == ("own", "fashion_mnist", "weights", "0" * 64)


def test_what_nobody_evaluates_is_refused_with_what_is_expected(space):
    with pytest.raises(DataUnavailable, match=r"is a dict; expected ClassificationTask, TranslationTask, or one with"):
        supernet_of({}, space, None, "0" * 64)

"""Candidates: one-gene neighbours of many architectures at once."""

import numpy as np
import pytest

from gnomon.search.acquisition.candidates import one_gene_away
from gnomon.supernets import load_space


@pytest.mark.parametrize("name", ["fashion_mnist", "bert_minilm"])
def test_one_gene_away_are_the_architectures_and_their_neighbours(name):
    space = load_space(name)
    rows = space.sample(5, np.random.default_rng(0))
    near = [space.neighbours(space.architecture(row)) for row in rows]
    expected = np.unique(np.concatenate([rows, *near]), axis=0)
    np.testing.assert_array_equal(np.unique(np.concatenate([rows, one_gene_away(space, rows)]), axis=0), expected)

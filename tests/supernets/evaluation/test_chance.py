"""Accuracies that say that nothing was learnt, and those that do not."""

import numpy as np
import pytest

from gnomon.supernets.evaluation.chance import chance_said

BALANCED, SKEWED = np.full(10, 500), np.array([800, 150, 0, 50])


@pytest.mark.parametrize(
    ("percents", "counts", "said"),
    [
        (
            [10.0],
            BALANCED,
            "10 % on 5,000 examples of 10 classes is what guessing gives (up to 11.3 % by chance)",
        ),
        ([9.9, 11.2], BALANCED, "note: 9.9 % and 11.2 % on"),
        ([0.0], BALANCED, "what guessing gives"),
        ([9.9, 11.4], BALANCED, ""),
        ([30.0], SKEWED, "1,000 examples of 3 classes is what guessing gives"),
        ([80.0], SKEWED, "note: 80 % on 1,000 examples of 3 classes is what answering one class to all of them gives"),
        ([80.0, 79.9], SKEWED, ""),
        ([79.9], SKEWED, ""),
        ([100.0], np.array([0, 12]), ""),
        ([10.0], np.array([], dtype=np.int64), ""),
        ([], BALANCED, ""),
    ],
)
def test_what_shows_no_learning_is_said(percents, counts, said):
    found = chance_said(percents, counts)
    assert found.startswith("note: ") if said else found == ""
    assert said in found


def test_nearly_all_networks_that_guess_are_told_and_no_better_one_is():
    rng = np.random.default_rng(0)
    guesses = 100.0 * rng.binomial(5000, 0.1, 1000) / 5000
    assert sum(bool(chance_said([percent], BALANCED)) for percent in guesses) >= 995
    better = 100.0 * rng.binomial(5000, 0.13, 1000) / 5000
    assert sum(bool(chance_said([percent], BALANCED)) for percent in better) <= 5

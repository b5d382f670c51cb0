from itertools import product

import numpy as np
import pytest

from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot, load_space
from gnomon.supernets.space import counting


def every_setting(space):
    return np.array(list(product(*(range(int(radix)) for radix in space.radices))))


def by_hand(space):
    """Count different networks by what they are: their layers."""
    return len({space.layers(space.architecture(row)) for row in every_setting(space)})


def test_small_spaces_are_counted_exactly(tiny):
    count = counting.distinct_networks(tiny)
    assert count.is_exact
    assert count.value == len(np.unique(tiny.canonical(every_setting(tiny)), axis=0)) == by_hand(tiny)


def test_groups_of_genes_are_multiplied():
    def block(name, choices, genes):
        def layer(kernel, depth):
            if depth == 1:
                return None
            return LayerSpec.of("mbconv", (8, 8, 8), kernel=kernel, stride=1, mid_channels=16, out_channels=8,
                                activation="relu", se_channels=0, residual=1)  # fmt: skip

        return Slot.tabulate(name, choices, genes, layer)

    choices = (Choice("k1", (3, 5, 7)), Choice("d1", (1, 2)), Choice("k2", (3, 5, 7)), Choice("d2", (1, 2)))
    slots = (block("a", choices, ["k1", "d1"]), block("b", choices, ["k2", "d2"]))
    space = SearchSpace("two", "none", (8, 8, 8), choices, slots)
    assert counting.groups_of(space) == [[0, 1], [2, 3]]
    assert counting.distinct_networks(space) == counting.Count(16)  # (3 kernels, or left out) squared
    assert space.size == 36


@pytest.mark.slow
def test_what_is_too_large_is_estimated_and_says_so(monkeypatch):
    space = load_space("vit_b16")  # small enough to be counted, too
    exact = counting.distinct_networks(space).value
    monkeypatch.setattr(counting, "LISTED", 1)
    estimate = counting.distinct_networks(space)
    assert not estimate.is_exact
    assert str(estimate).startswith("about ")
    assert 0 < estimate.relative_error < 0.1
    assert estimate.value == pytest.approx(exact, rel=4 * estimate.relative_error)


def test_a_precision_makes_another_deployment_of_every_network(tiny):
    single = counting.distinct_networks(tiny).value
    assert counting.distinct_networks(load_space("tiny:precision=fp32+int8")).value == 2 * single


@pytest.mark.parametrize(("name", "published"), [("ofa_mobilenetv3", 2.2e19), ("ofa_proxyless", 2.0e20)])
def test_once_for_alls_spaces_are_as_large_as_published(name, published):
    """Cai et al. 2020, arXiv 1908.09791: (3 x 3) kernels and expansions to the 2, 3 and 4 blocks, to the fifth."""
    count = counting.distinct_networks(load_space(name))
    assert count.is_exact
    assert count.value == (9**2 + 9**3 + 9**4) ** 5 * (1 if name == "ofa_mobilenetv3" else 9)
    assert float(count.value) == pytest.approx(published, rel=0.05)

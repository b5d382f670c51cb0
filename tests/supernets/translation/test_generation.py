import numpy as np
import pytest
import torch

from gnomon.supernets.data.pairs import padded
from gnomon.supernets.evaluation.generation import BATCH, beam, greedy

END = 2


@pytest.fixture
def sources():
    rng = np.random.default_rng(5)
    return padded([[*rng.integers(4, 70, rng.integers(1, 20)), END] for _ in range(12)], 24)


def scores_of(network, architecture, sources, translations):
    """Return the mean log-probability of each translation's tokens, by teacher forcing."""
    sides = {}
    network(torch.from_numpy(sources), architecture, sides=sides)
    tokens = torch.from_numpy(translations)
    read = torch.nn.functional.pad(tokens[:, :-1], (1, 0), value=1)
    logits = network(read, architecture, part=1, sides=sides).log_softmax(2)
    counted = (tokens != 0) | (tokens.cumsum(1) == 0)
    return (logits.gather(2, tokens[..., None])[..., 0] * counted).sum(1) / counted.sum(1)


def test_beam_of_one_is_greedy(network, architectures, sources):
    for architecture in architectures:
        assert np.array_equal(
            beam(network, architecture, sources, 9, width=1), greedy(network, architecture, sources, 9)
        )


def test_greedy_takes_the_likeliest_token_given_its_own(network, architectures, sources):
    for architecture in architectures:
        found, sides = greedy(network, architecture, sources, 9), {}
        network(torch.from_numpy(sources), architecture, sides=sides)
        read = torch.nn.functional.pad(torch.from_numpy(found[:, :-1]), (1, 0), value=1)
        likeliest = network(read, architecture, part=1, sides=sides).argmax(2).numpy()
        for row, best in zip(found, likeliest):
            length = list(row).index(END) + 1 if END in row else len(row)
            assert np.array_equal(row[:length], best[:length])
            assert not row[length:].any()


def test_a_wider_beam_finds_likelier_translations(network, architectures, sources):
    for architecture in architectures[:3]:
        narrow, wide = (beam(network, architecture, sources, 6, width=width) for width in (1, 6))
        gains = scores_of(network, architecture, sources, wide) - scores_of(network, architecture, sources, narrow)
        assert gains.mean() >= 0
        assert (gains > -1e-4).float().mean() > 0.7


@pytest.mark.slow
def test_a_sentence_is_translated_the_same_in_any_company(network, space, sources):
    architecture = space.architecture(space.radices - 1)
    many = np.concatenate([sources] * (BATCH // 12 + 1))
    together = greedy(network, architecture, many, 9)
    order = np.random.default_rng(0).permutation(len(many))
    assert np.array_equal(greedy(network, architecture, many[order], 9), together[order])
    alone = np.concatenate([greedy(network, architecture, row[None], 9) for row in sources])
    assert np.array_equal(together[: len(alone)], alone)

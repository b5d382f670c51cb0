import pytest

from gnomon.search import SearchContext
from gnomon.search.testing import AnalyticSupernet, LinearLatency
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot


def block(kernel, runs):
    if not runs:
        return None
    return LayerSpec.of(
        "mbconv", (8, 8, 8), kernel=kernel, stride=1, mid_channels=16, out_channels=8, activation="relu",
        se_channels=0, residual=1,
    )  # fmt: skip


@pytest.fixture
def six():
    """A space of six networks written in eight ways: the second kernel has no effect when its block is left out."""
    choices = (Choice("kernel1", (3, 5)), Choice("kernel2", (3, 5)), Choice("depth", (1, 2)))
    first = Slot.tabulate("block1", choices, ["kernel1"], lambda kernel: block(kernel, True))
    second = Slot.tabulate("block2", choices, ["kernel2", "depth"], lambda kernel, depth: block(kernel, depth == 2))
    return SearchSpace("six", "none", (8, 8, 8), choices, (first, second))


@pytest.fixture
def six_context(six):
    return SearchContext(six, AnalyticSupernet(six), LinearLatency(six))

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot, load_space
from gnomon.supernets.elastic import ElasticNetwork, FixedStatistics
from gnomon.supernets.elastic.importance import sort_by_importance


def shuffled(space, seed):
    """A network of `space` whose every tensor is random, batch norm's included."""
    torch.manual_seed(seed)
    network = ElasticNetwork(space).eval().requires_grad_(False)
    for parameter in network.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    return network


def transformer():
    """An encoder layer with elastic heads and hidden units."""
    choices = (Choice("heads", (1, 2, 4)), Choice("ffn", (6, 12)))

    def layer(heads, ffn):
        return LayerSpec.of(
            "encoder_layer",
            (5, 16),
            heads=heads,
            head_dim=4,
            ffn=ffn,
            norm="pre",
            activation="gelu",
            epsilon_exponent=6,
            masked=0,
        )

    return SearchSpace("encoder", "none", (5, 16), choices, (Slot.tabulate("layer", choices, ["heads", "ffn"], layer),))


def drawn_inputs(space, n=4):
    return torch.randn(n, *space.input_shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["fashion_mnist", "ofa_mobilenetv3:resolution=128", "ofa_resnet50:resolution=128"])
def test_sorting_keeps_the_largest_network_exactly(name):
    space = load_space(name)
    network, x = ElasticNetwork(space), drawn_inputs(space)
    largest = space.architecture(space.radices - 1)
    statistics = network.calibrate(largest, x)
    before = network.logits(x, largest, statistics)
    changed = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    after = network.logits(x, largest, sort_by_importance(network, statistics))
    assert any(not torch.equal(changed[key], tensor) for key, tensor in network.state_dict().items())
    assert torch.allclose(after, before, atol=1e-3 * float(before.abs().max()))


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_sorting_heads_and_hidden_units_keeps_the_largest_network(seed):
    space = transformer()
    network, x = shuffled(space, seed), drawn_inputs(space)
    largest = space.architecture(space.radices - 1)
    before = network(x, largest)
    sort_by_importance(network)
    assert torch.allclose(network(x, largest), before, rtol=1e-3, atol=1e-3)


def test_a_head_or_unit_that_nothing_reads_goes_last():
    network = shuffled(transformer(), 0)
    attention = network.sequence("layer").steps
    tensors = dict(network.named_parameters())
    output = next(tensor for name, tensor in tensors.items() if name.endswith("output.weight"))
    second = next(tensor for name, tensor in tensors.items() if name.endswith("second.weight"))
    assert attention
    output[:, 4:8] = 0  # the second of four heads
    second[:, 3] = 0
    sort_by_importance(network)
    assert torch.equal(output[:, 12:], torch.zeros(16, 4))
    assert torch.equal(second[:, -1], torch.zeros(16))
    assert output[:, :12].abs().sum(0).gt(0).all()


def test_a_slice_keeps_what_matters_when_the_rest_does_nothing():
    space = load_space("fashion_mnist")
    network = shuffled(space, 3)
    largest = space.architecture(space.radices - 1)
    values = space.values(largest)
    narrow = space.architecture_of(values | {"expand.2.2": 2})
    project = network.sequence("block2.2").steps["residual"].body.steps["project"].weight
    dead = torch.randperm(128, generator=torch.Generator().manual_seed(0))[:64]
    project[:, dead] = 0
    x = drawn_inputs(space)
    statistics = network.calibrate(largest, x)
    expected = network.logits(x, largest, statistics)
    sorted_statistics = sort_by_importance(network, statistics)
    half = {
        key: (mean[:64], variance[:64])
        for key, (mean, variance) in sorted_statistics.items()
        if key in ("block2.2.expand", "block2.2.depthwise")
    }
    found = network(x, narrow, FixedStatistics({**sorted_statistics, **half}))
    assert torch.allclose(found, expected, atol=1e-3 * float(expected.abs().max()))


def test_sorting_twice_changes_nothing():
    network = shuffled(load_space("fashion_mnist"), 5)
    sort_by_importance(network)
    once = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    sort_by_importance(network)
    assert all(np.array_equal(once[key], tensor) for key, tensor in network.state_dict().items())

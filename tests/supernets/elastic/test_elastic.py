import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.supernets import load_space
from gnomon.supernets.elastic import BatchStatistics, Calibration, ElasticNetwork
from gnomon.supernets.elastic.operations import ElasticConv
from gnomon.supernets.layers import Conv
from gnomon.supernets.space.parse import architectures_from_text


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ElasticNetwork(load_space("fashion_mnist"))


def test_forward_leaves_no_state_behind(network):
    space = network.space
    (small,), (large,) = (architectures_from_text(space, name) for name in ("smallest", "largest"))
    images = torch.randn(4, 1, 28, 28)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    first = network(images, small)
    network(images, large)
    assert torch.equal(network(images, small), first)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_only_the_subnetworks_weights_get_gradients(network):
    (small,) = architectures_from_text(network.space, "smallest")
    network.zero_grad()
    network(torch.randn(4, 1, 28, 28), small).sum().backward()
    assert network.slots["block1_1"].steps["expand"].weight.grad is not None
    assert network.slots["block1_2"].steps["residual"].body.steps["expand"].weight.grad is None


def test_calibrated_statistics_reproduce_the_calibration_batch(network):
    (architecture,) = architectures_from_text(network.space, "random:1")
    images = torch.randn(32, 1, 28, 28)
    statistics = network.calibrate(architecture, images)
    with torch.inference_mode():
        expected = network(images, architecture, BatchStatistics())
    assert torch.allclose(network.logits(images, architecture, statistics), expected, atol=1e-4)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.integers(0, 100))
def test_calibration_keeps_mean_and_variance_of_the_batch_and_normalises_by_them(n, size, seed):
    x = torch.from_numpy(np.random.default_rng(seed).normal(3, 2, (n, 2, size, size)).astype(np.float32))
    scale, shift = torch.tensor([2.0, 0.5]), torch.tensor([1.0, -1.0])
    calibration = Calibration()
    y = calibration("place", x, scale, shift)
    mean, variance = calibration.statistics()["place"]
    assert torch.allclose(mean, x.mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(variance, x.var((0, 2, 3), correction=0), atol=1e-4)
    expected = (x - mean[:, None, None]) / torch.sqrt(variance + 1e-5)[:, None, None]
    # Where there is no variance, the last digit of a mean of 3 is multiplied by 2 / sqrt(1e-5).
    assert torch.allclose(y, expected * scale[:, None, None] + shift[:, None, None], atol=1e-3)


def test_smaller_kernel_is_the_transformed_centre_of_the_larger():
    variants = [Conv("depthwise", 4, 4, kernel, depthwise=True) for kernel in (3, 5, 7)]
    conv = ElasticConv(variants)
    with torch.no_grad():
        conv.transforms["7to5"].copy_(2 * torch.eye(25))
        conv.transforms["5to3"].copy_(torch.eye(9).flip(0))
        five, three = conv.sliced(variants[1]), conv.sliced(variants[0])
    assert torch.equal(five, 2 * conv.weight[:, :, 1:6, 1:6])
    assert torch.allclose(three, five[:, :, 1:4, 1:4].flip(2, 3))


def test_folded_arrays_are_those_the_graph_asks_for(network):
    from gnomon.supernets.layers.registry import weight_shapes

    for row in network.space.sample(5, np.random.default_rng(1)):
        architecture = network.space.architecture(row)
        statistics = network.calibrate(architecture, torch.randn(8, 1, 28, 28))
        layers = network.space.layers(architecture)
        for spec, arrays in zip(layers, network.folded(architecture, statistics), strict=True):
            assert {name: array.shape for name, array in arrays.items()} == weight_shapes(spec)

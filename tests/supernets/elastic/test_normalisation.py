"""Norms in torch modules: batch norm of one, two and three dimensions is calibrated, others have nothing to share."""

import numpy as np
import pytest
import torch
from torch import nn

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import SupernetError
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.elastic.normalisation import EPSILON
from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer
from gnomon.supernets.own_networks.check import graph_is_torch

SHAPES = {1: (3, 12), 2: (3, 8, 8), 3: (3, 4, 6, 6)}
CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
NORMS = {
    "batch": lambda width, dims: (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dims - 1](width),
    "group": lambda width, dims: nn.GroupNorm(4, width),
    "layer": lambda width, dims: nn.GroupNorm(1, width),
    "instance": lambda width, dims: (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)[dims - 1](width),
    "tracking": lambda width, dims: nn.InstanceNorm2d(width, track_running_stats=True),
    "sync": lambda width, dims: nn.SyncBatchNorm(width),
    "batch_only": lambda width, dims: nn.BatchNorm2d(width, track_running_stats=False),
}


def run_onnx(model, inputs):
    with load_backend("onnxruntime").load(model, RunConfig(batch=len(next(iter(inputs.values()))))) as executable:
        return executable.run(dict(inputs))


class Body(nn.Module):
    def __init__(self, dims, width, kernel, norm):
        super().__init__()
        self.convolve = CONVOLUTIONS[dims](3, width, kernel, padding=kernel // 2)
        self.norm = NORMS[norm](width, dims)
        self.scores = nn.Linear(width, 4)
        self.last = nn.BatchNorm1d(4) if norm == "batch" else nn.LayerNorm(4)

    def forward(self, x):
        return self.last(self.scores(torch.relu(self.norm(self.convolve(x))).flatten(2).mean(2)))


def space_of(dims, norm, widths=(8, 16)):
    class Normed(TorchSpace):
        input_shape = SHAPES[dims]
        choices = {"width": widths, "kernel": (3, 5)}  # noqa: RUF012

        @block
        def body(self, width, kernel):
            return layer(Body, dims=dims, width=width, kernel=kernel, norm=norm)

    return Normed().space("normed")


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "instance"])
@pytest.mark.parametrize("dims", [1, 2, 3])
def test_every_subnetwork_s_graph_is_what_torch_runs(dims, norm):
    space = space_of(dims, norm)
    for row in ([0, 0], [0, 1], [1, 1]):
        graph_is_torch(space, space.architecture(row), run_onnx)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_batch_norm_is_calibrated_for_each_subnetwork(dims):
    space = space_of(dims, "batch")
    network, x = ElasticNetwork(space).eval(), 3 + 2 * torch.randn(32, *SHAPES[dims])
    for row in ([0, 0], [1, 1]):
        architecture = space.architecture(row)
        statistics = network.calibrate(architecture, x)
        assert set(statistics) == {"body.body.norm", "body.body.last"}
        assert len(statistics["body.body.norm"][0]) == (8, 16)[row[0]]
        logits = network.logits(x, architecture, statistics)
        assert np.allclose(logits.mean(0), 0, atol=0.01)
        variance = statistics["body.body.last"][1]
        assert np.allclose(logits.var(0, correction=0), variance / (variance + EPSILON), rtol=1e-3)


def test_calibration_on_one_example_of_vectors_is_its_own_mean():
    space = space_of(1, "batch")
    network, architecture = ElasticNetwork(space).eval(), space.architecture([0, 0])
    mean, variance = network.calibrate(architecture, torch.randn(1, *SHAPES[1]))["body.body.last"]
    assert mean.shape == (4,)
    assert torch.equal(variance, torch.zeros(4))


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_smaller_kernels_are_the_centre_of_larger_ones(dims):
    space = space_of(dims, "batch")
    step = ElasticNetwork(space).sequence("body").steps["body"]
    (operation,) = [one for one in step.templates.built if "kernel=3" in one.spec.key and "width=8" in one.spec.key]
    centre = (slice(None, 8), slice(None), *[slice(1, 4)] * dims)
    assert torch.equal(step.sliced(operation)["convolve.weight"], step.weights["convolve_weight"][centre])


class Positions(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.offsets = nn.Parameter(torch.randn(1, 5, width))

    def forward(self, x):
        return x[..., :1] + self.offsets


def test_a_tensor_of_three_axes_that_is_no_kernel_is_sliced_from_the_front():
    class Offset(TorchSpace):
        input_shape, choices = (5, 8), {"width": (4, 8)}

        @block
        def only(self, width):
            return layer(Positions, width=width)

    step = ElasticNetwork(Offset().space("offset")).sequence("only").steps["positions"]
    (operation,) = [one for one in step.templates.built if "width=4" in one.spec.key]
    assert torch.equal(step.sliced(operation)["offsets"], step.weights["offsets"][..., :4])


def test_groups_that_do_not_divide_a_width_say_what_to_do():
    with pytest.raises(SupernetError, match=r"block body \(width=10, kernel=3\).*groups must divide the width"):
        space_of(2, "group", widths=(8, 10))


@pytest.mark.parametrize(
    ("norm", "message"),
    [
        (
            "tracking",
            r"has InstanceNorm2d 'norm'; .*can share BatchNorm1d, BatchNorm2d, BatchNorm3d",
        ),
        ("sync", r"has SyncBatchNorm 'norm'"),
        ("batch_only", r"track_running_stats=False; expected .*track_running_stats=True"),
    ],
)
def test_norms_that_cannot_be_shared_are_refused(norm, message):
    with pytest.raises(SupernetError, match=message):
        ElasticNetwork(space_of(2, norm))

"""A layer kind of another package: found by entry point, timed by its own nodes, trained by its own torch module."""

import numpy as np
import pytest
import torch

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot, SupernetError
from gnomon.supernets.elastic import ElasticNetwork
from gnomon.supernets.layers import layer_kinds
from gnomon.supernets.layers.registry import kind_module, macs
from gnomon.supernets.own_networks.check import graph_is_torch

SOURCE = """
from dataclasses import dataclass

import torch
from torch import nn

from gnomon.supernets.elastic.operations import ElasticOperation


@dataclass(frozen=True)
class Gain:
    name: str
    channels: int

    params = property(lambda self: self.channels)

    def output_shape(self, shape):
        return shape

    def macs(self, shape):
        return 7

    def weight_shapes(self):
        return {"gain": (self.channels, 1, 1)}

    def emit(self, graph, x):
        return graph.node("Mul", [x, graph.weight("gain", (self.channels, 1, 1))])

    @staticmethod
    def elastic(variants):
        return ElasticGain(max(variant.channels for variant in variants))


class ElasticGain(ElasticOperation):
    def __init__(self, channels):
        super().__init__()
        self.gain = nn.Parameter(torch.rand(channels, 1, 1))

    def apply_to(self, x, operation, place, run):
        return x * self.gain[: operation.channels]

    def folded(self, operation, place, statistics):
        return {"gain": self.gain[: operation.channels]}


@dataclass(frozen=True)
class Untrained(Gain):
    elastic = None


def operations(spec):
    return ((Untrained if spec.integer("untrained") else Gain)("gain", spec.input_shape[0]),)
"""


@pytest.fixture
def gain_kind(tmp_path, monkeypatch):
    (tmp_path / "gain_kind.py").write_text(SOURCE)
    info = tmp_path / "gain_kind-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gain-kind\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[gnomon.layers]\ngain = gain_kind\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    kind_module.cache_clear()
    yield
    kind_module.cache_clear()


def space_of(untrained=0):
    choices = (Choice("out", (4, 8)),)

    def mbconv(out):
        return LayerSpec.of("mbconv", (3, 6, 6), kernel=3, stride=1, mid_channels=8, out_channels=out,
                            activation="relu", se_channels=0, residual=0)  # fmt: skip

    def gain(out):
        return LayerSpec.of("gain", (out, 6, 6), untrained=untrained)

    slots = (Slot.tabulate("a", choices, ["out"], mbconv), Slot.tabulate("b", choices, ["out"], gain))
    return SearchSpace("gained", "none", (3, 6, 6), choices, slots)


def run_onnx(model, inputs):
    with load_backend("onnxruntime").load(model, RunConfig(batch=len(next(iter(inputs.values()))))) as executable:
        return executable.run(dict(inputs))


def test_kind_is_found_and_counted(gain_kind):
    assert "gain" in layer_kinds()
    assert macs(LayerSpec.of("gain", (4, 6, 6), untrained=0)) == 7


def test_graph_of_own_nodes_is_what_its_torch_module_runs(gain_kind):
    space = space_of()
    for index in (0, 1):
        graph_is_torch(space, space.architecture(np.array([index])), run_onnx)
    assert isinstance(ElasticNetwork(space).sequence("b"), torch.nn.Module)


def test_operation_without_a_torch_counterpart_says_what_it_needs(gain_kind):
    with pytest.raises(SupernetError, match=r"operation Untrained has no torch counterpart.*elastic\(variants\)"):
        ElasticNetwork(space_of(untrained=1))


def test_a_kind_that_nobody_has_lists_the_known():
    with pytest.raises(SupernetError, match=r"unknown layer kind 'gained'.*mbconv"):
        macs(LayerSpec.of("gained", (4, 6, 6)))

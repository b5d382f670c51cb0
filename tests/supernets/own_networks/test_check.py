"""The checks of a space find what they are for: each on a space that breaks one rule."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from gnomon.profilers.run_config import RunConfig
from gnomon.profilers.runtimes.registry import load_backend
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.own_networks import check
from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer
from gnomon.supernets.own_networks.check import CHECKS, CheckFailed, check_space, graph_is_torch, rows_of

NAMES = {one.name: one for one in CHECKS}


def run_onnx(model, inputs):
    with load_backend("onnxruntime").load(model, RunConfig(batch=len(next(iter(inputs.values()))))) as executable:
        return executable.run(dict(inputs))


def mbconv(shape=(8, 6, 6), **changed):
    attributes = {"kernel": 3, "stride": 1, "mid_channels": 16, "out_channels": 8, "activation": "relu"}
    return LayerSpec.of("mbconv", shape, **(attributes | {"se_channels": 0, "residual": 1} | changed))


def space_of(choices, *slots):
    return SearchSpace("odd", "none", (8, 6, 6), choices, slots)


def good():
    choices = (Choice("kernel", (3, 5)), Choice("mid", (16, 32)))
    slot = Slot.tabulate("a", choices, ["kernel", "mid"], lambda k, m: mbconv(kernel=k, mid_channels=m))
    return space_of(choices, slot)


def failure_of(name, space):
    with pytest.raises(CheckFailed) as raised:
        NAMES[name].run(space, rows_of(space))
    return raised.value


def test_a_good_space_passes_all_checks():
    assert [outcome.problem for outcome in check_space(good(), run_onnx)] == [None] * (len(CHECKS) + 3)


def test_layers_that_do_not_chain_are_found():
    choices = (Choice("out", (8, 16)),)
    first = Slot.tabulate("a", choices, ["out"], lambda out: mbconv(out_channels=out, residual=0))
    failure = failure_of("chain", space_of(choices, first, Slot("b", (), (), (mbconv(),))))
    assert "layer 1, mbconv(8x6x6" in failure.found
    assert "{'out': 16}" in failure.found
    assert failure.expected.startswith("(16, 6, 6)")
    assert "`shape`" in failure.advice


def test_a_network_that_can_be_empty_is_found():
    choices = (Choice("depth", (0, 1)),)
    slot = Slot.tabulate("a", choices, ["depth"], lambda depth: mbconv() if depth else None)
    assert "runs no layer in part 'model'" in failure_of("chain", space_of(choices, slot)).found


def test_options_from_large_to_small_are_found():
    choices = (Choice("mid", (32, 16)),)
    slot = Slot.tabulate("a", choices, ["mid"], lambda mid: mbconv(mid_channels=mid))
    failure = failure_of("order", space_of(choices, slot))
    assert "from small to large" in failure.advice


def test_keys_that_do_not_read_back_are_found():
    spec = replace(mbconv(), attributes=(*mbconv().attributes, ("word", "7")))
    choices = (Choice("kernel", (3, 5)),)
    broken = space_of(choices, Slot("a", (0,), (2,), (spec, mbconv(kernel=5))))
    assert "word=7" in failure_of("keys", broken).found


def test_a_space_without_effect_is_found():
    choices = (Choice("kernel", (3, 5)),)
    assert (
        "no neighbour" in failure_of("neighbours", space_of(choices, Slot("a", (0,), (2,), (mbconv(), mbconv())))).found
    )


class Noise(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(6, 6 * width)

    def forward(self, x):
        return self.linear(x) + torch.rand(1)


class Noisy(TorchSpace):
    input_shape = (8, 6, 6)
    choices = {"width": (1, 2)}  # noqa: RUF012

    @block
    def only(self, width):
        return layer(Noise, width=width)


def test_a_graph_that_is_not_what_torch_runs_is_found():
    space = Noisy().space("noisy")
    with pytest.raises(CheckFailed, match=r"differs from torch by .*Look for randomness"):
        graph_is_torch(space, space.architecture([0]), run_onnx)


def test_a_runtime_that_gives_another_shape_is_found():
    space = good()
    with pytest.raises(CheckFailed, match=r"the graph gives \(1,\)"):
        graph_is_torch(space, space.architecture([0, 0]), lambda model, inputs: {"output": np.zeros(1)})


def test_whatever_a_check_raises_is_told_and_the_next_goes_on(monkeypatch):
    def broken(space, rows):
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(check, "CHECKS", (check.Check("odd", "it divides", broken), *CHECKS))
    outcomes = list(check_space(good(), run_onnx))
    assert outcomes[0].problem == "ZeroDivisionError: by zero"
    assert [outcome.problem for outcome in outcomes[1:]] == [None] * (len(CHECKS) + 3)

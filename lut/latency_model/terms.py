"""The terms of a latency model: physical quantities of a layer.

Each has a reason. Isolated layers pay for a session of their own (`layers`) and convert the layout of what crosses
their borders (`borders`; `inputs` and `outputs` where the two differ in cost), which neighbours in one network need
not. And an isolated layer, run in a loop, finds its weights in the fastest cache, while a network's weights exceed it
and come from further away each time (`weights`).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ...supernets import LayerSpec, SearchSpace
from ...supernets.layers.operations import with_shapes
from ...supernets.layers.registry import macs, operations, output_shape

KIB_A_FLOAT = 4 / 1024


def input_kib(spec: LayerSpec) -> float:
    """Return how much data the layer takes in, in KiB of fp32 for one input of the network."""
    return KIB_A_FLOAT * sum(math.prod(one.shape) for one in spec.all_inputs)


def output_kib(spec: LayerSpec) -> float:
    """Return how much data the layer gives out, in KiB of fp32 for one input of the network."""
    return KIB_A_FLOAT * math.prod(output_shape(spec))


def border_kib(spec: LayerSpec) -> float:
    """Return how much data crosses the layer's borders, both ways, in KiB of fp32 for one input of the network."""
    return input_kib(spec) + output_kib(spec)


def weight_kib(spec: LayerSpec) -> float:
    """Return the size of the weights that the layer multiplies with, in KiB of fp32; lookup tables do not count."""
    steps = with_shapes(operations(spec), spec.input_shape)
    read = [shape for step, at in steps if step.macs(at) for shape in step.weight_shapes().values()]
    return KIB_A_FLOAT * sum(map(math.prod, read))


def one(spec: LayerSpec) -> float:
    """Count the layer."""
    return 1.0


def mega_macs(spec: LayerSpec) -> float:
    """Return the layer's multiply-accumulates for one input, in millions."""
    return macs(spec) / 1e6


def runs_of(space: SearchSpace) -> int:
    """Count the runs of a network's models for one input; one where the network is one model."""
    return sum(part.runs for part in space.parts)


PHYSICAL: dict[str, Callable[[LayerSpec], float]] = {
    "layers": one,
    "borders": border_kib,
    "inputs": input_kib,
    "outputs": output_kib,
    "weights": weight_kib,
    "MACs": mega_macs,
}

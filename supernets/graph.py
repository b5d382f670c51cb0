"""Layers to ONNX: the one graph builder, for single layers that are timed and for whole networks that are shipped.

A whole sub-network is its layers' graphs, chained. Batch norm comes folded into the convolutions. The format is
pinned (opset 17, IR 8, weights inside the file): the helpers' defaults write what current runtimes refuse.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointMismatch, SupernetError
from .layers.registry import operations, output_shape
from .layers.spec import LayerSpec

OPSET, IR_VERSION = 17, 8
INPUT, OUTPUT = "input", "output"

Weights = Mapping[str, NDArray[np.float32]]  # the arrays of one layer, named as its operations name them


class GraphBuilder:
    """Collects nodes and weights; operations append themselves to it."""

    def __init__(self) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.constants: set[str] = set()
        self.prefix = ""
        self.weights: Weights | None = None

    def begin_layer(self, prefix: str, weights: Weights | None) -> None:
        """Name what follows `prefix`, and take its arrays from `weights` (None: synthetic ones)."""
        self.prefix, self.weights = prefix, weights

    def weight(self, name: str, shape: tuple[int, ...]) -> str:
        """Add a weight of `shape` and return its name in the graph; raises CheckpointMismatch."""
        full = f"{self.prefix}.{name}"
        if self.weights is None:
            values = synthetic_weight(full, shape)
        elif name not in self.weights or self.weights[name].shape != shape:
            found = self.weights[name].shape if name in self.weights else "none"
            raise CheckpointMismatch(f"weight {full} has shape {found}, the layer needs {shape}", tensor=full)
        else:
            values = self.weights[name]
        self.initializers.append(self.numpy_helper.from_array(np.ascontiguousarray(values, dtype=np.float32), full))
        return full

    def constant(self, value: float) -> str:
        """Return the name of a scalar that operators take as an input, one for the whole graph."""
        name = f"constant.{value:g}"
        if name not in self.constants:
            self.constants.add(name)
            self.initializers.append(self.numpy_helper.from_array(np.array(value, dtype=np.float32), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = f"{self.prefix}.{operator.lower()}{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def model(self, input_shape: Sequence[int], output: str, output_shape: Sequence[int]) -> bytes:
        """Return the serialised model, whose last node writes `output`."""
        from onnx import TensorProto

        if not self.nodes or self.nodes[-1].output[0] != output:
            raise SupernetError(f"the graph's last node does not write {output!r}")
        self.nodes[-1].output[0] = OUTPUT
        float_info = self.helper.make_tensor_value_info
        graph = self.helper.make_graph(
            self.nodes,
            "gnomon",
            [float_info(INPUT, TensorProto.FLOAT, list(input_shape))],
            [float_info(OUTPUT, TensorProto.FLOAT, list(output_shape))],
            self.initializers,
        )
        model = self.helper.make_model(
            graph,
            producer_name="gnomon",
            ir_version=IR_VERSION,
            opset_imports=[self.helper.make_opsetid("", OPSET)],
        )
        content: bytes = model.SerializeToString(deterministic=True)
        return content


def graph_from_layers(
    layers: Sequence[LayerSpec], weights: Sequence[Weights] | None = None, *, batch: int = 1
) -> bytes:
    """Chain `layers` into one ONNX model with a fixed batch.

    `weights` holds one mapping a layer; without it, arrays of realistic size are made up, always the same ones, which
    serves timing. Raises SupernetError when a layer does not fit the one before, CheckpointMismatch on wrong arrays.
    """
    if not layers:
        raise SupernetError("a graph needs at least one layer")
    if weights is not None and len(weights) != len(layers):
        raise CheckpointMismatch(f"{len(weights)} layers of weights for {len(layers)} layers", tensor="(count)")
    graph = GraphBuilder()
    x, shape = INPUT, layers[0].input_shape
    for position, spec in enumerate(layers):
        if spec.input_shape != shape:
            raise SupernetError(f"layer {position}, {spec.key}, takes {spec.input_shape}; the one before gives {shape}")
        graph.begin_layer(f"layer{position:02d}", None if weights is None else weights[position])
        for operation in operations(spec):
            x = operation.emit(graph, x)
        shape = output_shape(spec)
    return graph.model((batch, *layers[0].input_shape), x, (batch, *shape))


def synthetic_weight(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return normal values that keep activations at unit scale, the same for the same name and shape."""
    pool = normal_pool()
    start = int.from_bytes(hashlib.sha256(f"{name}{shape}".encode()).digest()[:8], "big") % (len(pool) // 2)
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 100
    return np.resize(pool[start:], shape) * np.float32((2 / fan_in) ** 0.5)


@lru_cache(maxsize=1)
def normal_pool() -> NDArray[np.float32]:
    """Return a million normal values, drawn once: synthetic weights are cut from it, for drawing them takes seconds."""
    return np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)

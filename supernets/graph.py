"""Layers to ONNX: the one graph builder, for single layers that are timed and for whole networks that are shipped.

A part of a sub-network is its layers' graphs, chained. Batch norm comes folded into the convolutions. The format is
pinned (opset 17, IR 8, weights inside the file): the helpers' defaults write what current runtimes refuse.

Layers hand one main value on, to the next or to those that name it (`wiring.py`). Whatever else flows between them, as
the mask of padded tokens, is a side value, found by its name. What no earlier layer of the model provides becomes an
input: so a layer alone is a model too. Of whole numbers the file says which an input takes (`values.py`). Between the
parts of a network, and from one run of a part to the next, values flow by name: an output `x` is the input `x` of later
parts, an output `x.next` the input `x` of the part's next run.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointMismatch, SupernetError
from .layers.registry import input_dtype, operations, output_shape
from .layers.spec import LayerSpec
from .layers.values import FLOAT, input_names, range_properties
from .layers.values import INPUT as INPUT
from .layers.values import OUTPUT as OUTPUT
from .space.space import Architecture, SearchSpace
from .space.wiring import Wiring, chain_of, wiring_of

OPSET, IR_VERSION = 17, 8
NEXT = ".next"  # ends the name of an output that the part's next run takes in

Shape = tuple[int, ...]
Weights = Mapping[str, NDArray[np.float32]]  # the arrays of one layer, named as its operations name them


@dataclass(frozen=True, slots=True)
class PartModel:
    """One part of a sub-network as ONNX bytes, and how often it runs for one input."""

    name: str
    model: bytes
    runs: int


class GraphBuilder:
    """Collects nodes, weights, inputs and outputs; operations append themselves to it. Shapes leave the batch out."""

    def __init__(self, batch: int = 1) -> None:
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.batch = batch
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.constants: set[str] = set()
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, tuple[str, Any]] = {}
        self.ranges: dict[str, tuple[int, int]] = {}
        self.sides: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self.prefix = ""
        self.weights: Weights | None = None

    def begin_layer(self, prefix: str, weights: Weights | None) -> None:
        """Name what follows `prefix`, and take its arrays from `weights` (None: synthetic ones)."""
        self.prefix, self.weights = prefix, weights

    def weight(self, name: str, shape: Shape, *, transposed: bool = False) -> str:
        """Add a weight of `shape`, or its transpose, and return its name in the graph; raises CheckpointMismatch."""
        return self._weight(f"{self.prefix}.{name}", name, shape, transposed)

    def shared_weight(self, name: str, shape: Shape) -> str:
        """Add a weight that several layers of the model read, once, and return its name; raises CheckpointMismatch."""
        full = f"shared.{name}"
        if full not in self.constants:
            self.constants.add(full)
            self._weight(full, name, shape, transposed=False)
        return full

    def constant(self, value: float | int | Sequence[int]) -> str:
        """Return the name of a constant that operators take as an input, one for the whole graph.

        A float is a scalar of 32 bits; whole numbers, one or several, are of 64 bits.
        """
        is_float = isinstance(value, float)
        name = f"constant.{value:g}" if is_float else f"constant.{value!r}".replace(" ", "")
        if name not in self.constants:
            self.constants.add(name)
            array = np.array(value, dtype=np.float32 if is_float else np.int64)
            self.initializers.append(self.numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        name = f"{self.prefix}.{operator.lower()}{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def provide(self, name: str, value: str) -> None:
        """Let later layers of this model find `value` as the side value `name`."""
        self.sides[name] = value

    def side(self, name: str, shape: Shape, dtype: str = FLOAT, range: tuple[int, int] | None = None) -> str:
        """Return the side value `name`: what an earlier layer provided, else an input of this model.

        `range` is that of the whole numbers it holds: from the first on and below the second.
        """
        if name not in self.sides:
            if name in self.inputs:
                raise SupernetError(f"a layer needs the side value {name!r}, and the network has an input of that name")
            self.input(name, shape, dtype, range)
            self.sides[name] = name
        return self.sides[name]

    def input(self, name: str, shape: Shape, dtype: str = FLOAT, range: tuple[int, int] | None = None) -> None:
        """Give the model an input besides the main one."""
        self.inputs[name] = self._info(name, (self.batch, *shape), dtype)
        if range is not None:
            self.ranges[name] = range

    def output(self, name: str, value: str, shape: Shape, dtype: str = "float32") -> None:
        """Make `value` an output of the model besides the main one."""
        self.outputs[name] = (value, self._info(name, (self.batch, *shape), dtype))

    def numbered(self, word: str) -> int:
        """Count: return how often this model was asked for `word` before."""
        self.counts[word] += 1
        return self.counts[word] - 1

    def model(self, input_shape: Shape, output: str, output_shape: Shape, dtype: str = FLOAT) -> bytes:
        """Return the serialised model with the main value `output`; these two shapes hold the batch."""
        if output not in {node.output[0] for node in self.nodes}:
            raise SupernetError(f"no node of the graph writes {output!r}")
        self.inputs = {INPUT: self._info(INPUT, input_shape, dtype), **self.inputs}
        self.outputs = {OUTPUT: (output, self._info(OUTPUT, output_shape, FLOAT)), **self.outputs}
        return self.serialised()

    def serialised(self) -> bytes:
        """Return the model of all inputs, nodes and outputs so far."""
        made = {node.output[0] for node in self.nodes}
        names: dict[str, str] = {}
        for name, (value, _) in self.outputs.items():
            if value in made and value not in names:
                names[value] = name
            else:
                self.nodes.append(self.helper.make_node("Identity", [value], [name], name=f"copy.{name}"))
        for node in self.nodes:
            node.input[:] = [names.get(value, value) for value in node.input]
            node.output[0] = names.get(node.output[0], node.output[0])
        infos = [info for _, info in self.outputs.values()]
        graph = self.helper.make_graph(self.nodes, "gnomon", list(self.inputs.values()), infos, self.initializers)
        model = self.helper.make_model(
            graph,
            producer_name="gnomon",
            ir_version=IR_VERSION,
            opset_imports=[self.helper.make_opsetid("", OPSET)],
        )
        if self.ranges:
            self.helper.set_model_props(model, range_properties(self.ranges))
        content: bytes = model.SerializeToString(deterministic=True)
        return content

    def _weight(self, full: str, name: str, shape: Shape, transposed: bool) -> str:
        if self.weights is None:
            values = synthetic_weight(full, shape)
        elif name not in self.weights or self.weights[name].shape != shape:
            found = self.weights[name].shape if name in self.weights else "none"
            raise CheckpointMismatch(f"weight {full} has shape {found}, the layer needs {shape}", tensor=full)
        else:
            values = self.weights[name]
        stored = np.ascontiguousarray(values.T if transposed else values, dtype=np.float32)
        self.initializers.append(self.numpy_helper.from_array(stored, full))
        return full

    def _info(self, name: str, shape: Shape, dtype: str) -> Any:
        return self.helper.make_tensor_value_info(name, self.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)


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
    graph, shape = GraphBuilder(batch), layers[0].input_shape
    for position, spec in enumerate(layers):
        if spec.input_shape != shape:
            raise SupernetError(f"layer {position}, {spec.key}, takes {spec.input_shape}; the one before gives {shape}")
        if len(spec.all_inputs) > 1 and len(layers) > 1:
            raise SupernetError(
                f"layer {position}, {spec.key}, takes {len(spec.all_inputs)} values, and a chain gives one; "
                "build the graph of the architecture instead"
            )
        shape = output_shape(spec)
    wiring = chain_of(layers)
    (value,) = emit_steps(graph, wiring, {INPUT: INPUT}, weights)
    if (first := layers[0].all_inputs[0]).range is not None:
        graph.ranges[INPUT] = first.range
    return graph.model((batch, *layers[0].input_shape), value, (batch, *shape), input_dtype(layers[0]))


def graph_from_wiring(
    space: SearchSpace, wiring: Wiring, weights: Sequence[Weights] | None = None, *, batch: int = 1
) -> bytes:
    """Return a sub-network of a space with named inputs as one ONNX model; raises as `graph_from_layers`."""
    graph = GraphBuilder(batch)
    for name, one in space.inputs:
        graph.input(name, one.shape, one.dtype, one.range)
    values = emit_steps(graph, wiring, {name: name for name, _ in space.inputs}, weights)
    shapes = {name: one.shape for name, one in space.inputs}
    for step in wiring.steps:
        for name, one in zip(step.takes, step.spec.all_inputs):
            if one.shape != shapes[name]:
                raise SupernetError(f"slot {step.slot}, {step.spec.key}, takes {one.shape}; {name} is {shapes[name]}")
        shapes[step.gives] = output_shape(step.spec)
    surplus = [name for name in graph.inputs if name not in dict(space.inputs)]
    if surplus:
        raise SupernetError(f"a layer of {space.name} needs the side value {surplus[0]!r}, which no layer provides")
    for (name, source), value in zip(wiring.outputs, values):
        graph.output(name, value, shapes[source])
    return graph.serialised()


def emit_steps(
    graph: GraphBuilder, wiring: Wiring, values: dict[str, str], weights: Sequence[Weights] | None
) -> tuple[str, ...]:
    """Append the layers' nodes, and return what the graph calls each output; `values` names the inputs in it."""
    if weights is not None and len(weights) != len(wiring.steps):
        raise CheckpointMismatch(f"{len(weights)} layers of weights for {len(wiring.steps)} layers", tensor="(count)")
    for position, step in enumerate(wiring.steps):
        graph.begin_layer(f"layer{position:02d}", None if weights is None else weights[position])
        x, *others = (values[name] for name in step.takes)
        for name, value in zip(input_names(len(step.takes))[1:], others):
            graph.provide(name, value)
        for operation in operations(step.spec):
            x = operation.emit(graph, x)
        values[step.gives] = x
    return tuple(values[value] for _, value in wiring.outputs)


def models_from_architecture(
    space: SearchSpace, architecture: Architecture, weights: Sequence[Weights] | None = None, *, batch: int = 1
) -> tuple[PartModel, ...]:
    """Return a sub-network's parts as ONNX models; `weights` holds the arrays of all their layers, part after part.

    Raises what `graph_from_layers` raises.
    """
    models, position = [], 0
    for number, part in enumerate(space.parts):
        layers = space.part_layers(architecture, number)
        own = None if weights is None else weights[position : position + len(layers)]
        if space.inputs:
            model = graph_from_wiring(space, wiring_of(space, architecture, number), own, batch=batch)
        else:
            model = graph_from_layers(layers, own, batch=batch)
        models.append(PartModel(part.name, model, part.runs))
        position += len(layers)
    return tuple(models)


def synthetic_weight(name: str, shape: Shape) -> NDArray[np.float32]:
    """Return normal values that keep activations at unit scale, the same for the same name and shape."""
    pool = normal_pool()
    start = int.from_bytes(hashlib.sha256(f"{name}{shape}".encode()).digest()[:8], "big") % (len(pool) // 2)
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 100
    return np.resize(pool[start:], shape) * np.float32((2 / fan_in) ** 0.5)


@lru_cache(maxsize=1)
def normal_pool() -> NDArray[np.float32]:
    """Return a million normal values, drawn once: synthetic weights are cut from it, for drawing them takes seconds."""
    return np.random.default_rng(0).standard_normal(1 << 20, dtype=np.float32)

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

from collections.abc import Sequence
from dataclasses import dataclass

from .errors import CheckpointMismatch, SupernetError
from .layers.graph_builder import GraphBuilder, Weights
from .layers.registry import input_dtype, operations, output_shape
from .layers.spec import LayerSpec
from .layers.values import INPUT as INPUT
from .layers.values import OUTPUT as OUTPUT
from .layers.values import input_names
from .space.space import Architecture, SearchSpace
from .space.wiring import Wiring, chain_of, wiring_of


@dataclass(frozen=True, slots=True)
class PartModel:
    """One part of a sub-network as ONNX bytes, and how often it runs for one input."""

    name: str
    model: bytes
    runs: int


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

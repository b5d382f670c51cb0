"""Which nodes of the asked model each kernel stands for, where the runtime does not name them: told by structure.

A convolution that lost its name is the first unclaimed one with its window, strides, groups and pixels; those that
cannot be told apart by these are one kernel, and take the same time. What then is claimed by nobody, as a batch norm or
an activation, was fused into the kernel that made its input, or else into the one that takes its output.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import onnx
from onnx import helper

from .cutting import KernelCall, KernelGraph
from .kernel import Kernel, Tensor

FORMS = ("kernel_shape", "strides", "group", "dilations")
RENAMED = {"Upsample": "Resize"}  # what runtimes call by another operator's name
PREFIXES = ("Fused", "Nhwc")  # that runtimes put before an operator they have fused something into


def with_originals(graph: KernelGraph, asked: bytes) -> KernelGraph:
    """Return the graph with the originals of every call, as far as they can be told, in the model's order."""
    model = onnx.load_from_string(asked)
    nodes = {node.name: node for node in model.graph.node}
    owner = {name: at for at, call in enumerate(graph.calls) for name in call.originals if name in nodes}
    shapes = shapes_in(model)
    for at, call in enumerate(graph.calls):
        if not call.originals and not call.excluded:
            found = match(call, graph.kernels[call.key], nodes, owner, shapes)
            if found:
                owner[found] = at
    spread(model, owner)
    calls = list(graph.calls)
    for at, call in enumerate(calls):
        names = tuple(name for name in nodes if owner.get(name) == at)
        calls[at] = replace(call, originals=names or call.originals)
    return replace(graph, calls=tuple(calls))


def match(
    call: KernelCall,
    kernel: Kernel,
    nodes: Mapping[str, onnx.NodeProto],
    owner: Mapping[str, int],
    shapes: Mapping[str, tuple[int, ...]],
) -> str:
    """Return the first unclaimed node that a kernel can stand for; empty where there is none."""
    operator = call.operator
    for prefix in PREFIXES:
        operator = operator.removeprefix(prefix)
    operator = RENAMED.get(operator, operator)
    form = form_of(kernel.nodes[0])
    given = [tensor for _, tensor in kernel.outputs[:1]]
    for name, node in nodes.items():
        if name in owner or node.op_type != operator or not given:
            continue
        if form_of(node) == form and pixels_agree(given[0], shapes.get(node.output[0])):
            return name
    return ""


def form_of(node: onnx.NodeProto) -> dict[str, object]:
    """Return the attributes that shape a node's work, without those that only say what holds anyway."""
    found = {one.name: helper.get_attribute_value(one) for one in node.attribute if one.name in FORMS}
    usual = {"strides": {1}, "dilations": {1}}
    kept = {name: value for name, value in found.items() if name not in usual or set(value) != usual[name]}
    return {**kept, "group": min(2, int(kept.get("group", 1)))}  # padded channels change how many groups there are


def pixels_agree(tensor: Tensor, shape: tuple[int, ...] | None) -> bool:
    """Tell whether a kernel's output is as large as a node's, channels apart, which a runtime pads."""
    return shape is None or (len(shape) == len(tensor.shape) and shape[2:] == tensor.shape[2:])


def spread(model: onnx.ModelProto, owner: dict[str, int]) -> None:
    """Give unclaimed nodes to whoever made their input, or else to whoever takes their output; constants to nobody."""
    nodes = list(model.graph.node)
    varying = {one.name for one in model.graph.input} - {one.name for one in model.graph.initializer}
    made_by: dict[str, str] = {}
    working = []
    for node in nodes:
        if varying.intersection(node.input):
            varying.update(node.output)
            working.append(node)
            made_by.update(dict.fromkeys(node.output, node.name))
    for node in working:
        makers = [owner[made_by[name]] for name in node.input if made_by.get(name) in owner]
        if node.name not in owner and makers:
            owner[node.name] = max(makers)
    for node in reversed(working):
        for name in node.input:
            if name in made_by and node.name in owner:
                owner.setdefault(made_by[name], owner[node.name])


def shapes_in(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a model's values that follow from its inputs."""
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # of a file whose told shapes do not fit together: then the pixels are not compared
        return {}
    values = [*graph.value_info, *graph.output]
    dims = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
    return {name: tuple(sizes) for name, sizes in dims.items() if sizes and all(sizes)}

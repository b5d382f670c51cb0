"""Models that run a kernel in the layout that it has within a network, where ONNX knows one layout only.

OpenVINO keeps images with their channels last between convolutions, and gives and takes them with the channels first. A
convolution chooses its layout itself: images that come and go through a transposition are taken and given as they lie.
Not so a sum that is computed in place of one of its inputs: it would be turned, so one pixel of it is given. What only
passes over its values takes them as they come; it is written anew for images whose channels are the last axis, where
its operators can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .kernel import Kernel, Tensor

RANK = 4  # of images
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)  # permutations: channels from last to first, and back
NEW_AXIS = TO_FIRST  # where each axis of an image with channels first lies with channels last
LIKE_LAST = "acdb"  # OpenVINO's name of a layout with the channels last
SLICE_TAKES_INPUTS = 10  # the operator set from which Slice takes its numbers as inputs
AXES_ARE_INPUTS = {"ReduceSum": 13}  # the operator set from which an operator's axes are an input; others' from 18
POINTWISE = frozenset((
    "Abs", "Add", "Cast", "Ceil", "Clip", "Cos", "Div", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater",
    "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less", "Log", "Max", "Mean", "Min", "Mish", "Mul", "Neg",
    "Not", "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin", "Softplus", "Softsign",
    "Sqrt", "Sub", "Sum", "Tanh", "Where",
))  # fmt: skip
ALONG_AXIS = frozenset(("Concat", "Softmax", "LogSoftmax", "Split"))
OVER_LAST = frozenset(("Softmax", "LogSoftmax"))  # along the last axis where they name none, of old over all after it
ALONG_ONE = 13  # the operator set from which these go along one axis
REDUCING = frozenset(
    ("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2", "GlobalAveragePool", "GlobalMaxPool")
)
GLOBAL = {"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}
PIXEL = tuple(
    numpy_helper.from_array(np.array(value, np.int64), f"pixel.{name}")
    for name, value in (("starts", (0, 0)), ("ends", (1, 1)), ("axes", (2, 3)))
)


@dataclass(frozen=True)
class Border:
    """What stands before and after a kernel's nodes: nodes, and values from outside and to outside by name."""

    before: tuple[onnx.NodeProto, ...]
    inputs: tuple[tuple[str, Tensor], ...]
    after: tuple[onnx.NodeProto, ...]
    outputs: tuple[tuple[str, Tensor], ...]
    constants: tuple[onnx.TensorProto, ...]


def last_shape(tensor: Tensor) -> Tensor:
    """Return what an image is with its channels last."""
    return replace(tensor, shape=tuple(tensor.shape[axis] for axis in TO_LAST))


def bordered(kernel: Kernel, final: str) -> Border:
    """Return the border of a kernel that multiplies: images come and go channels last, but those named in `plain`.

    `final` ends the names of values that the kernel's nodes give.
    """
    before, inputs, after, outputs = [], [], [], []
    turned = {name for name, one in (*kernel.inputs, *kernel.outputs) if is_last(kernel) and len(one.shape) == RANK}
    turned -= set(kernel.plain)
    is_cut = len([name for name, _ in kernel.inputs if name in turned]) > 1
    for name, tensor in kernel.inputs:
        inputs.append((f"{name}.last", last_shape(tensor)) if name in turned else (name, tensor))
        if name in turned:
            before.append(helper.make_node("Transpose", [f"{name}.last"], [name], perm=TO_FIRST))
    for name, tensor in kernel.outputs:
        given, outer = f"{name}{final}", f"{name}.last"
        if name not in turned:
            outputs.append((given, tensor))
        elif is_cut:
            outputs.append((outer, replace(tensor, shape=(*tensor.shape[:2], 1, 1))))
            after.append(first_pixel(given, outer, dict(kernel.opsets).get("", 1)))
        else:
            outputs.append((outer, last_shape(tensor)))
            after.append(helper.make_node("Transpose", [given], [outer], perm=TO_LAST))
    return Border(tuple(before), tuple(inputs), tuple(after), tuple(outputs), PIXEL if is_cut else ())


def first_pixel(name: str, given: str, opset: int) -> onnx.NodeProto:
    """Return a node that gives the first pixel of an image; from an operator set on it takes the constants of PIXEL."""
    if opset < SLICE_TAKES_INPUTS:
        return helper.make_node("Slice", [name], [given], starts=[0, 0], ends=[1, 1], axes=[2, 3])
    return helper.make_node("Slice", [name, *(one.name for one in PIXEL)], [given])


def is_last(kernel: Kernel) -> bool:
    """Tell whether a kernel multiplies images with the channels last, in a graph that is compiled anew."""
    return kernel.layout == LIKE_LAST and not kernel.graph_of and kernel.cost.macs > 0


def can_be_last(nodes: Sequence[onnx.NodeProto]) -> bool:
    """Tell whether every operator of some nodes can be written for images with their channels last."""
    return all(node.op_type in POINTWISE | ALONG_AXIS | REDUCING for node in nodes)


def channels_last(kernel: Kernel) -> Kernel:
    """Return a kernel that only passes over images written for channels last; itself where that cannot be said."""
    is_image = kernel.layout == LIKE_LAST and not kernel.graph_of and kernel.cost.macs == 0
    values = (*kernel.inputs, *kernel.outputs)
    if not is_image or not can_be_last(kernel.nodes) or any(len(one.shape) not in (0, RANK) for _, one in values):
        return kernel
    opset = dict(kernel.opsets).get("", 1)
    if opset < ALONG_ONE and any(node.op_type in OVER_LAST for node in kernel.nodes):
        return kernel
    axes = {name for node in kernel.nodes if node.op_type in REDUCING for name in node.input[1:] if name}
    sizes = {name for node in kernel.nodes if node.op_type == "Split" for name in node.input[1:] if name}
    constants = tuple(
        (name, one if name in sizes else turned_constant(one, is_axes=name in axes)) for name, one in kernel.constants
    )
    return replace(
        kernel,
        nodes=tuple(turned_node(node, opset) for node in kernel.nodes),
        inputs=tuple((name, last_shape(one) if one.shape else one) for name, one in kernel.inputs),
        outputs=tuple((name, last_shape(one) if one.shape else one) for name, one in kernel.outputs),
        constants=(*constants, *axes_constants(kernel.nodes, opset)),
    )


def turned_constant(tensor: Tensor, *, is_axes: bool) -> Tensor:
    """Return a constant for images with their channels last; `is_axes` says that it holds axes."""
    if is_axes:
        assert tensor.content is not None  # whole numbers are kept
        return replace(tensor, content=np.array([NEW_AXIS[axis] for axis in tensor.content.ravel()], np.int64))
    if tensor.elements == 1 or not tensor.shape:
        return tensor
    shape = (*(1,) * (RANK - len(tensor.shape)), *tensor.shape)
    content = None if tensor.content is None else tensor.content.reshape(shape).transpose(TO_LAST)
    return replace(tensor, shape=tuple(shape[axis] for axis in TO_LAST), content=content)


def turned_node(node: onnx.NodeProto, opset: int) -> onnx.NodeProto:
    """Return a node for images with their channels last."""
    fresh = onnx.NodeProto()
    fresh.CopyFrom(node)
    if node.op_type in GLOBAL:
        fresh.op_type = GLOBAL[node.op_type]
        if takes_axes(fresh.op_type, opset):
            fresh.input.append("last.axes")
        else:
            fresh.attribute.append(helper.make_attribute("axes", [1, 2]))
        return fresh
    if node.op_type in OVER_LAST and not any(one.name == "axis" for one in node.attribute):
        fresh.attribute.append(helper.make_attribute("axis", -1))
    for one in fresh.attribute:
        if one.name == "axis":
            one.i = NEW_AXIS[one.i]
        elif one.name == "axes":
            turned = [NEW_AXIS[axis] for axis in one.ints]
            del one.ints[:]
            one.ints.extend(turned)
    return fresh


def takes_axes(operator: str, opset: int) -> bool:
    """Tell whether an operator takes its axes as an input."""
    return opset >= AXES_ARE_INPUTS.get(operator, 18)


def axes_constants(nodes: Sequence[onnx.NodeProto], opset: int) -> tuple[tuple[str, Tensor], ...]:
    """Return the constant that global pooling takes when it is written as a reduction."""
    if any(node.op_type in GLOBAL and takes_axes(GLOBAL[node.op_type], opset) for node in nodes):
        return (("last.axes", Tensor("int64", (2,), np.array([1, 2], np.int64))),)
    return ()

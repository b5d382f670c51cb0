"""What a file itself says of a graph's values: its constants, those computed from constants alone, and shapes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from ...errors import LutError
from .kernel import Tensor

OF_SHAPE = ("Shape", "Size")  # operators that tell a value's shape
KEPT = 16  # numbers of a constant whose values are kept; those of more are made up


def constants_of(
    model: onnx.ModelProto, values: Mapping[str, Tensor], sized: Mapping[str, object], *, fold: bool
) -> dict[str, Tensor]:
    """Return the constants of a graph by name; with `fold` also what is computed from them alone.

    The shapes of the values in `sized` are constants too. Contents are kept of whole numbers, and of a few numbers of
    any type.
    """
    inputs = {one.name for one in model.graph.input}
    found = {one.name: described(one) for one in model.graph.initializer}
    inputs -= set(found)
    if not fold:
        return found
    for node in model.graph.node:
        if node.op_type in OF_SHAPE and node.input[0] in sized:
            found[node.output[0]] = told_shape(node, values[node.input[0]].shape)
            continue
        if any(name and name not in found for name in node.input) or any(one.HasField("g") for one in node.attribute):
            continue
        for name, tensor in zip(node.output, folded(node, found, values, model)):
            if name:
                found[name] = tensor
    return found


def told_shape(node: onnx.NodeProto, shape: tuple[int, ...]) -> Tensor:
    """Return what a node says that tells the shape of a value."""
    part = {one.name: int(one.i) for one in node.attribute}
    told = np.array(shape[part.get("start", 0) : part.get("end", len(shape))], np.int64)
    content = told if node.op_type == "Shape" else np.array(np.prod(told, dtype=np.int64))
    return Tensor("int64", content.shape, content)


def described(tensor: onnx.TensorProto) -> Tensor:
    """Return an initializer's type and shape, and its content where that is kept; LutError for one in another file."""
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        raise LutError(f"the constant {tensor.name!r} of a graph is in another file; expected it in the graph")
    dtype = dtype_name(tensor.data_type)
    shape = tuple(tensor.dims)
    is_kept = not dtype.startswith(("float", "bfloat")) or int(np.prod(shape, dtype=np.int64)) <= KEPT
    return Tensor(dtype, shape, numpy_helper.to_array(tensor) if is_kept else None)


def dtype_name(number: int) -> str:
    """Return numpy's name of an ONNX type."""
    return str(np.dtype(helper.tensor_dtype_to_np_dtype(number)).name)


def folded(
    node: onnx.NodeProto, known: Mapping[str, Tensor], values: Mapping[str, Tensor], model: onnx.ModelProto
) -> list[Tensor]:
    """Return what a node makes of constants: its values where all contents are known, else type and shape as told."""
    from onnx.reference import ReferenceEvaluator

    told = [values.get(name, Tensor("float32", ())) for name in node.output]
    if node.op_type == "Constant" or all(not name or known[name].content is not None for name in node.input):
        if sum(tensor.elements for tensor in told) > 1 << 16:
            return told
        contents = {name: known[name].content for name in node.input if name}
        graph = helper.make_graph(
            [node],
            "constant",
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(c.dtype), c.shape)
                for n, c in contents.items()
                if c is not None
            ],
            [helper.make_empty_tensor_value_info(name) for name in node.output],
        )
        try:
            made = ReferenceEvaluator(helper.make_model(graph, opset_imports=model.opset_import)).run(None, contents)
        except Exception:  # an operator that the evaluator does not know: its shape is told by the runtime
            return told
        arrays = [np.asarray(one) for one in made]
        return [
            Tensor(
                one.dtype.name,
                one.shape,
                one if one.size <= KEPT or not np.issubdtype(one.dtype, np.floating) else None,
            )
            for one in arrays
        ]
    return told


def inferred(model: onnx.ModelProto) -> dict[str, Tensor]:
    """Return the values whose type and shape follow from the file, for those that a runtime drops and does not tell."""
    try:
        graph = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # of a file whose told shapes do not fit together: then the runtime alone tells
        return {}
    found = {}
    for value in graph.value_info:
        tensor = value.type.tensor_type
        shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
        if tensor.HasField("shape") and tensor.elem_type and min(shape, default=0) >= 0:
            found[value.name] = Tensor(dtype_name(tensor.elem_type), shape)
    return found

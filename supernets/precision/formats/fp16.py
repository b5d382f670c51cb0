"""16-bit floats, for GPUs: every float of the file, inputs and outputs too.

So a layer alone is timed without casts at its borders, and whoever runs the file feeds it float16 (ids stay int64).
Attributes, as the epsilon of a normalisation, are 32-bit floats by ONNX's own definition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import SupernetError
from ...metric import Runner
from ..runtimes import onnxruntime_runner, require_onnxruntime
from ..samples import Samples

RUNTIME, CALIBRATED, TOLERANCE = "onnxruntime", False, 1e-2
LARGEST = float(np.finfo(np.float16).max)
FIXED_INPUTS = {"Resize": (1, 2), "Upsample": (1,)}  # inputs that ONNX wants in fp32 whatever the values are in


def convert(model: bytes, samples: Samples | None, sampled: bytes | None, weight_bits: int | None) -> bytes:
    """Return the model in fp16; raises SupernetError for a number that 16 bits cannot hold, or an unfit operator."""
    import onnx

    converted = onnx.load_from_string(model)
    graph = converted.graph
    for array in graph.initializer:
        halve(array)
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.tensor_type.elem_type == onnx.TensorProto.FLOAT:
            info.type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    for node in graph.node:
        halve_node(node)
    try:
        onnx.checker.check_model(converted)
        onnx.shape_inference.infer_shapes(converted, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise SupernetError(f"the model cannot be kept in fp16: {error}") from error
    content: bytes = converted.SerializeToString(deterministic=True)
    return content


def require() -> None:
    """Raise PrecisionUnavailable without ONNX Runtime."""
    require_onnxruntime()


def runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime on the processor, which rounds the weights to 16 bits and computes in 32."""
    return onnxruntime_runner(model)


def halve_node(node: Any) -> None:
    """Make a node's casts and constants fp16."""
    from onnx import TensorProto

    if node.op_type in FIXED_INPUTS and any(node.input[i] for i in FIXED_INPUTS[node.op_type] if i < len(node.input)):
        raise SupernetError(
            f"node {node.name or node.op_type} takes sizes as 32-bit floats, which fp16 has no place for"
        )
    for attribute in node.attribute:
        if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.FLOAT16
        if attribute.name == "value" and attribute.HasField("t"):
            halve(attribute.t)


def halve(array: Any) -> None:
    """Make a tensor of 32-bit floats one of 16-bit floats, in place; others stay."""
    from onnx import TensorProto, numpy_helper

    if array.data_type != TensorProto.FLOAT:
        return
    values = numpy_helper.to_array(array)
    largest = float(np.abs(values).max(initial=0.0))
    if largest > LARGEST:
        raise SupernetError(f"{array.name or 'a constant'} holds {largest:g}; fp16 ends at {LARGEST:g}")
    array.CopyFrom(numpy_helper.from_array(values.astype(np.float16), array.name))

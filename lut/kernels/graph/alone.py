"""A model that runs one kernel alone, as often as it takes for its borders not to count for most."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ....profilers.runtimes.graphs.fused_graph import OWN_GRAPH
from .kernel import Kernel, Tensor
from .layouts import bordered, channels_last, is_last

CHAINED = 4  # copies of a kernel that adds to an input in place
SPREAD = 1 << 16  # values of which synthetic weights are made by repetition


def copies_of(kernel: Kernel) -> int:
    """Return how many times a kernel's model runs it, so that its borders do not count for most.

    Side by side on the same inputs only where nothing merges equal nodes: in a graph that is not optimised once more.
    Else one behind another, where a sum is computed in place of an input: of an input from outside it takes a copy.
    """
    if not kernel.graph_of:
        return CHAINED if is_last(kernel) and sum_of(kernel) else 1
    seconds = kernel.cost.macs / 3e10 + kernel.cost.moved_bytes / 2e10 + 1e-6
    return int(min(16, max(1, 60e-6 // seconds)))


def sum_of(kernel: Kernel) -> str:
    """Return the input that the only output of a kernel can stand for, since it is added to what has its shape."""
    if len(kernel.outputs) != 1 or len(kernel.inputs) < 2:
        return ""
    added = {name for node in kernel.nodes if node.op_type in ("Add", "Sum") for name in node.input}
    given = kernel.outputs[0][1]
    alike = [
        name for name, one in kernel.inputs if name in added and (one.dtype, one.shape) == (given.dtype, given.shape)
    ]
    return alike[0] if alike else ""


def kernel_model(kernel: Kernel, copies: int = 1) -> bytes:
    """Return ONNX bytes that run the kernel alone, `copies` times on the same inputs, in its own layout.

    Weights are made up, always the same; how inputs and outputs lie is said in `layouts.py`.
    """
    rng = np.random.default_rng(0)
    kernel = channels_last(kernel)
    border = bordered(kernel, f".{copies - 1}")
    is_chained = copies > 1 and not kernel.graph_of
    constants = [
        (f"{name}.{copy}" if is_chained else name, tensor)
        for copy in range(copies if is_chained else 1)
        for name, tensor in kernel.constants
    ]
    graph = helper.make_graph(
        [*border.before, *copied(kernel, copies), *border.after],
        "kernel",
        [helper.make_tensor_value_info(name, onnx_type(one.dtype), one.shape) for name, one in border.inputs],
        [helper.make_tensor_value_info(name, onnx_type(one.dtype), one.shape) for name, one in border.outputs],
        [*(initializer(name, tensor, rng) for name, tensor in constants), *border.constants],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid(domain, version) for domain, version in kernel.opsets],
        ir_version=kernel.ir_version,
    )
    if kernel.graph_of:
        helper.set_model_props(model, {OWN_GRAPH: kernel.graph_of})
    content: bytes = model.SerializeToString()
    return content


def copied(kernel: Kernel, copies: int) -> list[onnx.NodeProto]:
    """Return the kernel's nodes once a copy, with values and names of their own.

    Where nodes are optimised once more, each copy has weights of its own and adds to what the one before gave.
    """
    outer = {name for name, _ in (*kernel.inputs, *kernel.constants)} | {""}
    is_chained = copies > 1 and not kernel.graph_of
    own = {name for name, _ in kernel.constants} if is_chained else set()
    added = sum_of(kernel) if is_chained else ""
    found = []
    for copy in range(copies):
        names = {name: name for name in outer} | {name: f"{name}.{copy}" for name in own}
        if added and copy:
            names[added] = f"{kernel.outputs[0][0]}.{copy - 1}"
        for number, node in enumerate(kernel.nodes):
            fresh = onnx.NodeProto()
            fresh.CopyFrom(node)
            fresh.name = f"k{number}.{copy}"
            del fresh.input[:], fresh.output[:]
            fresh.input.extend(names.get(name, f"{name}.{copy}") for name in node.input)
            fresh.output.extend(f"{name}.{copy}" if name else "" for name in node.output)
            found.append(fresh)
    return found


def initializer(name: str, tensor: Tensor, rng: np.random.Generator) -> TensorProto:
    """Return a constant: as it is where its values decide what is computed, else small positive numbers."""
    if tensor.content is not None:
        return numpy_helper.from_array(tensor.content, name)
    dtype = helper.tensor_dtype_to_np_dtype(onnx_type(tensor.dtype))
    some = rng.uniform(0.005, 0.015, min(tensor.elements, SPREAD))
    return numpy_helper.from_array(np.resize(some.astype(dtype), tensor.shape), name)


def onnx_type(dtype: str) -> int:
    """Return ONNX's number of a type."""
    if dtype == "bfloat16":
        return int(TensorProto.BFLOAT16)
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

"""A kernel: what a runtime runs as one piece, with a key that says everything that changes its time.

The key holds operators, attributes, types, shapes, which values are constants, and the layout; no names, and no values
but those that decide what is computed (whole numbers, and exponents). Equal keys of different models are one kernel,
measured once. From the parts that make the key, `kernel_model` builds a model that runs the kernel alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ....profilers.runtimes.graphs.fused_graph import OWN_GRAPH
from .cost import Cost
from .layouts import bordered, channels_last, is_last

CHAINED = 4  # copies of a kernel that adds to an input in place
SPREAD = 1 << 16  # values of which synthetic weights are made by repetition


@dataclass(frozen=True, slots=True)
class Tensor:
    """The type (numpy's name) and shape of a value; `content` is that of a constant which decides what is computed."""

    dtype: str
    shape: tuple[int, ...]
    content: np.ndarray[Any, Any] | None = None

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def size_bytes(self) -> float:
        """How much memory it takes."""
        return self.elements * bytes_of(self.dtype)

    def __str__(self) -> str:
        return f"{SHORT.get(self.dtype, self.dtype)}[{','.join(map(str, self.shape))}]"


SHORT = {"float32": "f32", "float16": "f16", "float64": "f64", "int64": "i64", "int32": "i32", "int8": "i8"}
SHORT |= {"uint8": "u8", "bool": "b", "bfloat16": "bf16"}


def bytes_of(dtype: str) -> float:
    """Return how many bytes a number of that type takes; 2 for those that numpy does not know."""
    try:
        return float(np.dtype(dtype).itemsize)
    except TypeError:
        return 2.0


@dataclass(frozen=True)
class Kernel:
    """A kernel: `nodes` with canonical names of values, of which `inputs` and `constants` come from outside.

    `graph_of` is the runtime and version whose own graph the nodes are of; empty for nodes of the asked model. `plain`
    are the images that the runtime turns to its layout, or from it, as part of the kernel.
    """

    key: str
    operator: str
    nodes: tuple[onnx.NodeProto, ...]
    inputs: tuple[tuple[str, Tensor], ...]
    constants: tuple[tuple[str, Tensor], ...]
    outputs: tuple[tuple[str, Tensor], ...]
    opsets: tuple[tuple[str, int], ...]
    ir_version: int
    layout: str
    graph_of: str
    cost: Cost
    plain: tuple[str, ...] = ()


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


NO_TIME = ("epsilon", "momentum")
UNSAID: Mapping[
    str, Callable[[Any], bool]
] = {  # attributes that say what holds anyway; some exporters write them, others do not
    "auto_pad": lambda value: value in (b"NOTSET", b""),
    "ceil_mode": lambda value: value == 0,
    "dilations": lambda value: set(value) == {1},
    "group": lambda value: value == 1,
    "pads": lambda value: set(value) == {0},
    "storage_order": lambda value: value == 0,
    "strides": lambda value: set(value) == {1},
}


def printed_attributes(node: onnx.NodeProto) -> str:
    """Return a node's attributes as its key has them: by name, without defaults and those that no time depends on."""
    said = {}
    for one in node.attribute:
        value = helper.get_attribute_value(one)
        if one.name not in NO_TIME and not (one.name in UNSAID and UNSAID[one.name](value)):
            said[one.name] = printed_value(value)
    return "{" + " ".join(f"{name}={said[name]}" for name in sorted(said)) + "}" if said else ""


def printed_value(value: Any) -> str:
    """Return an attribute's value as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, onnx.TensorProto):
        return printed_content(numpy_helper.to_array(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(printed_value(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def printed_content(array: np.ndarray[Any, Any]) -> str:
    """Return what a constant holds."""
    return "(" + ",".join(f"{one:g}" if isinstance(one, float) else str(one) for one in array.ravel().tolist()) + ")"

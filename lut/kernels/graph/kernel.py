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

NHWC_IN, NHWC_OUT = (0, 3, 1, 2), (0, 2, 3, 1)
LIKE_NHWC = "acdb"  # OpenVINO's name of a layout with the channels last
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

    `graph_of` is the runtime and version whose own graph the nodes are of; empty for nodes of the asked model.
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


def copies_of(kernel: Kernel) -> int:
    """Return how many times a kernel's model runs it, so that the call of the runtime does not count for most.

    Only where nothing merges equal nodes: in a graph that is not optimised once more.
    """
    if not kernel.graph_of:
        return 1
    seconds = kernel.cost.macs / 3e10 + kernel.cost.moved_bytes / 2e10 + 1e-6
    return int(min(16, max(1, 60e-6 // seconds)))


def kernel_model(kernel: Kernel, copies: int = 1) -> bytes:
    """Return ONNX bytes that run the kernel alone, `copies` times on the same inputs, in its own layout.

    Weights are made up, always the same; inputs and outputs are in the layout in which the kernel takes and gives them
    where ONNX can say so (channels last), so that no conversion at the border is added. Only what multiplies chooses
    its layout itself; what passes over its values takes them as they come, and turning them would be the longer work.
    """
    rng = np.random.default_rng(0)
    is_nhwc = kernel.layout == LIKE_NHWC and not kernel.graph_of and kernel.cost.macs > 0
    before, inputs = [], []
    for name, tensor in kernel.inputs:
        turned = is_nhwc and len(tensor.shape) == 4
        shape = [tensor.shape[axis] for axis in NHWC_OUT] if turned else list(tensor.shape)
        inputs.append(helper.make_tensor_value_info(f"{name}.nhwc" if turned else name, onnx_type(tensor.dtype), shape))
        if turned:
            before.append(helper.make_node("Transpose", [f"{name}.nhwc"], [name], perm=NHWC_IN))
    after, outputs = [], []
    for name, tensor in kernel.outputs:
        turned = is_nhwc and len(tensor.shape) == 4
        shape = [tensor.shape[axis] for axis in NHWC_OUT] if turned else list(tensor.shape)
        last = f"{name}.{copies - 1}"
        outputs.append(helper.make_tensor_value_info(f"{name}.out" if turned else last, onnx_type(tensor.dtype), shape))
        if turned:
            after.append(helper.make_node("Transpose", [last], [f"{name}.out"], perm=NHWC_OUT))
    graph = helper.make_graph(
        [*before, *copied(kernel, copies), *after],
        "kernel",
        inputs,
        outputs,
        [initializer(name, tensor, rng) for name, tensor in kernel.constants],
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
    """Return the kernel's nodes once a copy, with values and names of their own."""
    outer = {name for name, _ in (*kernel.inputs, *kernel.constants)} | {""}
    found = []
    for copy in range(copies):
        for number, node in enumerate(kernel.nodes):
            fresh = onnx.NodeProto()
            fresh.CopyFrom(node)
            fresh.name = f"k{number}.{copy}"
            del fresh.input[:], fresh.output[:]
            fresh.input.extend(name if name in outer else f"{name}.{copy}" for name in node.input)
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

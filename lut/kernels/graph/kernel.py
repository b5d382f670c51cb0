"""A kernel: what a runtime runs as one piece, with a key that says everything that changes its time.

The key holds operators, attributes, types, shapes, which values are constants, and the layout; no names, and no values
but those that decide what is computed (whole numbers, and exponents). Equal keys of different models are one kernel,
measured once. From the parts that make the key, `alone.py` builds a model that runs the kernel alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .cost import Cost


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

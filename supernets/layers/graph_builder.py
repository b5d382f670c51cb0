"""The ONNX graph that layers write themselves into."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointMismatch, SupernetError
from .values import FLOAT, range_properties
from .values import INPUT as INPUT
from .values import OUTPUT as OUTPUT

OPSET, IR_VERSION = 17, 8


NEXT = ".next"  # ends the name of an output that the part's next run takes in


Shape = tuple[int, ...]


Weights = Mapping[str, NDArray[np.float32]]  # the arrays of one layer, named as its operations name them


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

"""Writes Q/DQ pairs into an ONNX graph: a quantised tensor passes through int8, a quantised weight is kept in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 127  # -128 is left out, so that zero is in the middle
LARGEST_WEIGHT = {8: LARGEST, 7: 64}  # by bits; two products with 64 fit 16 bits, whatever 8 bits they are with
INT32 = 2**31 - 1
SPARE = 1.0001  # a bias stays this factor away from the end of 32 bits


def positive_scale(largest: float) -> float:
    """Return the value of one step, for values up to `largest`; 1 where all are zero."""
    scale = np.float32(largest / LARGEST)
    return float(scale) if scale >= np.finfo(np.float32).tiny else 1.0


class PairWriter:
    """Rewrites `graph` in place; `scales` holds the scale of each tensor that gets pairs, one a reader.

    Weights use `weight_bits` of their 8 bits, 8 or 7; what passes through pairs always uses all.
    ONNX Runtime leaves a convolution in fp32 whose pair other nodes read too, and makes pairs that are equal one. So
    every reader has its own, and their scales are a last digit apart.
    """

    def __init__(self, graph: Any, scales: Mapping[str, float], *, weight_bits: int) -> None:
        self.graph, self.scales = graph, scales
        self.largest_weight = LARGEST_WEIGHT[weight_bits]
        self.arrays = {array.name: array for array in graph.initializer}
        self.outputs = {info.name for info in graph.output}
        self.readers = Counter(name for node in graph.node for name in node.input if name in scales)
        self.readers.update(name for name in self.outputs if name in scales)
        self.read: Counter[str] = Counter()
        self.added: dict[str, NDArray[Any]] = {}

    def write(self, weighted: Sequence[Any]) -> None:
        """Put a pair before every reader of what has a scale, and a DQ behind the weights of the nodes `weighted`."""
        weights = self.quantised_weights(weighted)
        names = {node.name for node in weighted}
        nodes = [pair for info in self.graph.input for pair in self.pairs(info.name)]
        for node in self.graph.node:
            if node.name in names:
                if node.input[1] in weights:
                    nodes.append(weights.pop(node.input[1]))
                node.input[1] = dequantised(node.input[1])
            node.input[:] = [self.next_read(name) for name in node.input]
            made = list(node.output)
            node.output[:] = [self.written(name) for name in made]
            nodes += [node, *(pair for name in made for pair in self.pairs(name))]
        copies = [type(node).FromString(node.SerializeToString()) for node in nodes]
        del self.graph.node[:]
        self.graph.node.extend(copies)
        self.replace_arrays()

    def quantised_weights(self, weighted: Sequence[Any]) -> dict[str, Any]:
        """Return the node that dequantises each weight, by the weight's name."""
        from onnx import numpy_helper

        least: dict[str, NDArray[np.float64]] = {}
        axes: dict[str, int] = {}
        for node in weighted:
            name = node.input[1]
            axes[name] = channel_axis(node, len(self.arrays[name].dims))
            bias = numpy_helper.to_array(self.arrays[node.input[2]]).ravel() if len(node.input) > 2 else np.zeros(1)
            # Runtimes keep the bias as 32-bit steps of (input scale x weight scale); a dead channel's would overflow.
            needed = SPARE * np.abs(bias.astype(np.float64)) / INT32 / self.scales[node.input[0]]
            least[name] = np.maximum(least.get(name, np.zeros(1)), needed)
        return {name: self.quantise_weight(name, axis, least[name]) for name, axis in axes.items()}

    def quantise_weight(self, name: str, axis: int, least: NDArray[np.float64]) -> Any:
        """Add a weight in int8 and return the node that dequantises it."""
        from onnx import helper, numpy_helper

        values = numpy_helper.to_array(self.arrays[name])
        others = tuple(i for i in range(values.ndim) if i != axis)
        largest = np.abs(values).max(axis=others, initial=0.0).astype(np.float64)
        scales = (largest / self.largest_weight).astype(np.float32)
        scales[scales < np.finfo(np.float32).tiny] = 1.0
        scales = np.maximum(scales, least.astype(np.float32))
        steps = values / np.expand_dims(scales, others)
        self.added[f"{name}.int8"] = np.clip(np.round(steps), -self.largest_weight, self.largest_weight).astype(np.int8)
        self.added[f"{name}.scale"] = scales
        zeros = f"int8.zeros{len(scales)}"
        self.added[zeros] = np.zeros(len(scales), np.int8)
        inputs = [f"{name}.int8", f"{name}.scale", zeros]
        return helper.make_node(
            "DequantizeLinear", inputs, [dequantised(name)], name=f"{name}.dequantizelinear", axis=axis
        )

    def pairs(self, name: str) -> Iterator[Any]:
        """Yield the pairs behind a tensor, if it has a scale, and add their scales."""
        from onnx import helper

        scale = np.float32(self.scales.get(name, 1.0))
        for reader in range(self.readers[name]):
            label = f"{name}.{reader}"
            self.added[f"{label}.scale"] = np.array(scale, np.float32)
            self.added["int8.zero"] = np.array(0, np.int8)
            constants = [f"{label}.scale", "int8.zero"]
            quantised = f"{label}.int8"
            last = reader == self.readers[name] - 1
            result = name if last and name in self.outputs else dequantised(label)
            yield helper.make_node(
                "QuantizeLinear", [self.written(name), *constants], [quantised], name=f"{label}.quantizelinear"
            )
            yield helper.make_node(
                "DequantizeLinear", [quantised, *constants], [result], name=f"{label}.dequantizelinear"
            )
            scale = np.nextafter(scale, np.float32(np.inf))

    def written(self, name: str) -> str:
        """Return what the maker of a tensor calls it: an output of the graph is what its last pair gives."""
        return f"{name}.float" if name in self.scales and name in self.outputs else name

    def next_read(self, name: str) -> str:
        """Return what the next reader of a tensor calls it."""
        if name not in self.scales:
            return name
        self.read[name] += 1
        return dequantised(f"{name}.{self.read[name] - 1}")

    def replace_arrays(self) -> None:
        """Leave the arrays that nodes still read, and add the new ones."""
        from onnx import numpy_helper

        read = {name for node in self.graph.node for name in node.input}
        kept = [array for name, array in self.arrays.items() if name in read]
        kept += [numpy_helper.from_array(values, name) for name, values in self.added.items()]
        copies = [type(array).FromString(array.SerializeToString()) for array in kept]
        del self.graph.initializer[:]
        self.graph.initializer.extend(copies)
        del self.graph.value_info[:]


def dequantised(name: str) -> str:
    """Return what a tensor or weight is called behind its DQ."""
    return f"{name}.dequantized"


def channel_axis(node: Any, rank: int) -> int:
    """Return the axis of a weight that holds the output channels."""
    if node.op_type == "Conv":
        return 0
    if node.op_type == "Gemm":
        return 0 if any(attribute.name == "transB" and attribute.i for attribute in node.attribute) else 1
    return rank - 1


def parsed(model: bytes) -> Any:
    """Parse a model and name the nodes that have no name, or another's, so that each can be told from the others."""
    import onnx

    found, seen = onnx.load_from_string(model), {""}
    for number, node in enumerate(found.graph.node):
        if node.name in seen:
            node.name = f"node{number}.{node.op_type.lower()}"
        seen.add(node.name)
    return found

"""Builds an ONNX network node by node, with shapes; weights are made up at a size that keeps activations normal."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8
POOL = 1 << 14  # normal numbers of which all weights are made by repetition


class Net:
    """A network under construction. Values are names; `shape` knows the shape of each."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self.inputs: list[Any] = []
        self.shape: dict[str, tuple[int, ...]] = {}
        self._normal = rng.standard_normal(POOL).astype(np.float32)

    def input(self, *shape: int, dtype: int = TensorProto.FLOAT) -> str:
        """Add an input."""
        name = f"input{len(self.inputs)}"
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        self.shape[name] = shape
        return name

    def node(self, operator: str, taken: Sequence[str], shape: Sequence[int], **attributes: Any) -> str:
        """Add a node with one output of that shape."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(taken), [name], **attributes))
        self.shape[name] = tuple(shape)
        return name

    def constant(self, array: Any) -> str:
        """Add a constant as it is."""
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(array), name))
        self.shape[name] = np.shape(array)
        return name

    def weight(self, *shape: int, fan_in: int = 1) -> str:
        """Add a constant of normal numbers, scaled so that a sum over `fan_in` of them keeps its size."""
        return self.constant(np.resize(self._normal, shape) * np.float32(math.sqrt(2 / fan_in)))

    def conv(
        self, x: str, channels: int, kernel: int = 3, stride: int = 1, *, group: int = 1, bias: bool = True
    ) -> str:
        """Add a convolution with padding that keeps the size at stride 1; `group` 0 is one group a channel."""
        n, taken, height, width = self.shape[x]
        group = group or taken
        pad = kernel // 2
        inputs = [x, self.weight(channels, taken // group, kernel, kernel, fan_in=taken // group * kernel**2)]
        inputs += [self.weight(channels, fan_in=100)] if bias else []
        size = [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]
        return self.node(
            "Conv",
            inputs,
            (n, channels, *size),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
            group=group,
        )

    def norm(self, x: str) -> str:
        """Add a batch norm that changes little."""
        channels = self.shape[x][1]
        ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        return self.node("BatchNormalization", [x, *map(self.constant, (ones, zeros, zeros, ones))], self.shape[x])

    def act(self, x: str, name: str) -> str:
        """Add an activation: an operator's name, or Swish, Relu6 or HardSwish as exporters write it."""
        shape = self.shape[x]
        if name == "Swish":
            return self.node("Mul", [x, self.node("Sigmoid", [x], shape)], shape)
        if name == "Relu6":
            return self.node("Clip", [x, self.constant(np.float32(0)), self.constant(np.float32(6))], shape)
        if name == "HardSwish":
            return self.node("Mul", [x, self.node("HardSigmoid", [x], shape, alpha=1 / 6, beta=0.5)], shape)
        return self.node(name, [x], shape)

    def pool(self, x: str, kernel: int, stride: int, *, pad: int = 0, kind: str = "MaxPool") -> str:
        """Add a pooling."""
        n, channels, height, width = self.shape[x]
        size = [(side + 2 * pad - kernel) // stride + 1 for side in (height, width)]
        return self.node(
            kind, [x], (n, channels, *size), kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4
        )

    def mean(self, x: str) -> str:
        """Add the mean over all pixels."""
        return self.node("GlobalAveragePool", [x], (*self.shape[x][:2], 1, 1))

    def add(self, x: str, y: str) -> str:
        """Add two values of one shape."""
        return self.node("Add", [x, y], self.shape[x])

    def concat(self, values: Sequence[str], axis: int = 1) -> str:
        """Concatenate."""
        shape = list(self.shape[values[0]])
        shape[axis] = sum(self.shape[value][axis] for value in values)
        return self.node("Concat", values, shape, axis=axis)

    def reshape(self, x: str, *shape: int) -> str:
        """Give a value another shape."""
        return self.node("Reshape", [x, self.constant(np.array(shape, np.int64))], shape)

    def transpose(self, x: str, *order: int) -> str:
        """Exchange axes."""
        return self.node("Transpose", [x], [self.shape[x][axis] for axis in order], perm=order)

    def slice(self, x: str, start: int, end: int, axis: int = 1) -> str:
        """Take a part along an axis."""
        shape = list(self.shape[x])
        shape[axis] = end - start
        bounds = [self.constant(np.array([value], np.int64)) for value in (start, end, axis)]
        return self.node("Slice", [x, *bounds], shape)

    def split(self, x: str, parts: int, axis: int = 1) -> list[str]:
        """Split into equal parts along an axis."""
        shape = list(self.shape[x])
        shape[axis] //= parts
        names = [f"v{len(self.nodes)}.{part}" for part in range(parts)]
        self.nodes.append(helper.make_node("Split", [x], names, axis=axis))
        self.shape.update({name: tuple(shape) for name in names})
        return names

    def upsample(self, x: str, mode: str = "nearest") -> str:
        """Double height and width."""
        n, channels, height, width = self.shape[x]
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node("Resize", [x, "", scales], (n, channels, 2 * height, 2 * width), mode=mode)

    def linear(self, x: str, width: int, *, bias: bool = True) -> str:
        """Multiply the last axis with a matrix, and add a bias."""
        shape = self.shape[x]
        product = self.node("MatMul", [x, self.weight(shape[-1], width, fan_in=shape[-1])], (*shape[:-1], width))
        return self.node("Add", [product, self.weight(width, fan_in=100)], (*shape[:-1], width)) if bias else product

    def gemm(self, x: str, width: int) -> str:
        """Multiply a flat value with a matrix, and add a bias."""
        rows, columns = self.shape[x]
        weight = self.weight(width, columns, fan_in=columns)
        return self.node("Gemm", [x, weight, self.weight(width, fan_in=100)], (rows, width), transB=1)

    def flat(self, x: str) -> str:
        """Flatten all but the batch."""
        shape = self.shape[x]
        return self.node("Flatten", [x], (shape[0], math.prod(shape[1:])))

    def model(self, *outputs: str) -> bytes:
        """Return the network as ONNX bytes."""
        graph = helper.make_graph(
            self.nodes,
            "sample",
            self.inputs,
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        content: bytes = model.SerializeToString()
        return content

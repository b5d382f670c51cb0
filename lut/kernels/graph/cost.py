"""What a kernel computes and moves: quantities that any device has to do with, from which times can be regressed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """Quantities of one kernel: multiply-adds, bytes, and the sizes of what it gives.

    `reduction` is how many multiply-adds one output number takes; `channels` and `pixels` are of the largest output
    (its second size, and the product of those after it; the last size alone for two of them).
    """

    macs: float
    input_bytes: float
    output_bytes: float
    weight_bytes: float
    elements: float
    channels: float
    pixels: float
    reduction: float
    groups: float
    window: float
    stride: float
    nodes: float

    @property
    def moved_bytes(self) -> float:
        """All bytes that are read or written at least once."""
        return self.input_bytes + self.output_bytes + self.weight_bytes


Shape = tuple[int, ...]


def of_convolution(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """Every output number takes one filter's weights."""
    return math.prod(outputs[0]) * math.prod(inputs[1][1:])


def of_quantised_convolution(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """As of a convolution; the filters come after the scale and zero point of the input."""
    return math.prod(outputs[0]) * math.prod(inputs[3][1:])


def of_transposed_convolution(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """Every input number meets one filter's weights."""
    return math.prod(inputs[0]) * math.prod(inputs[1][1:])


def of_product(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """Every output number takes a row of the first matrix."""
    return math.prod(outputs[0]) * (inputs[0][-1] if inputs[0] else 1)


def of_recurrence(inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """Every step multiplies with both matrices of weights."""
    steps = inputs[0][0] * inputs[0][1]
    return steps * (math.prod(inputs[1]) + math.prod(inputs[2]))


MACS: Mapping[str, Callable[[Sequence[Shape], Sequence[Shape]], float]] = {
    "Conv": of_convolution,
    "FusedConv": of_convolution,
    "NhwcFusedConv": of_convolution,
    "ConvInteger": of_convolution,
    "QLinearConv": of_quantised_convolution,
    "ConvTranspose": of_transposed_convolution,
    "MatMul": of_product,
    "Gemm": of_product,
    "FusedGemm": of_product,
    "FusedMatMul": of_product,
    "MatMulInteger": of_product,
    "MatMulIntegerToFloat": of_product,
    "DynamicQuantizeMatMul": of_product,
    "QLinearMatMul": of_product,
    "QGemm": of_product,
    "LSTM": of_recurrence,
    "DynamicQuantizeLSTM": of_recurrence,
    "GRU": of_recurrence,
    "RNN": of_recurrence,
}


def macs_of(operator: str, inputs: Sequence[Shape], outputs: Sequence[Shape]) -> float:
    """Return the multiply-adds of one node; 0 for operators that only pass over their values."""
    counted = MACS.get(operator)
    try:
        return 0.0 if counted is None or not outputs else float(counted(inputs, outputs))
    except IndexError:  # a form of the operator with fewer sizes: it is known by what it moves
        return 0.0

"""Whether integer kernels add exactly on this machine: asked of ONNX Runtime, not of the processor's name.

Without instructions that add products of 8-bit integers in 32 bits (VNNI, AMX, Arm's dot product) x86 kernels add pairs
of them in 16 bits, which saturate: 2 x 255 x 127 is 64,770, and 16 bits end at 32,767. Weights in 7 bits, at most 64,
cannot saturate: 2 x 255 x 64 is 32,640.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from .pairs import LARGEST, PairWriter, parsed
from .runtimes import onnxruntime_runner

FULL, REDUCED = 8, 7  # bits of weights: all, and those whose products cannot saturate 16 bits
CHANNELS, PIXELS = 64, 4  # pairs to saturate, in kernels of one row and of several
ROUNDING = 0.05  # an exact kernel is half a step of 127 off


@cache
def weight_bits_here() -> int:
    """Return the bits that weights of int8 files for this machine have; takes some ms, once.

    Raises PrecisionUnavailable without ONNX Runtime.
    """
    return REDUCED if sums_saturate() else FULL


def sums_saturate() -> bool:
    """Tell whether ONNX Runtime's integer kernels saturate here: a sum of largest products is not what it should be."""
    sums = onnxruntime_runner(largest_products())({"input": np.ones((1, CHANNELS, PIXELS, PIXELS), np.float32)})
    return bool((np.abs(sums["output"] - CHANNELS) > ROUNDING * CHANNELS).any())


def largest_products() -> bytes:
    """Return a convolution whose inputs and weights all are the largest of 8 bits, and stand for 1."""
    from onnx import TensorProto, helper, numpy_helper

    shape = (1, CHANNELS, PIXELS, PIXELS)
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", ["input", "weight"], ["output"], name="conv")],
        "largest_products",
        [info("input", TensorProto.FLOAT, shape)],
        [info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.ones((CHANNELS, CHANNELS, 1, 1), np.float32), "weight")],
    )
    opsets = [helper.make_opsetid("", 17)]
    model = parsed(helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString())
    scales = {"input": 1 / LARGEST, "output": CHANNELS / LARGEST}
    PairWriter(model.graph, scales, weight_bits=FULL).write(model.graph.node)
    content: bytes = model.SerializeToString(deterministic=True)
    return content

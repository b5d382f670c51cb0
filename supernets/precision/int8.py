"""8-bit integers by static quantisation: Q/DQ pairs around what runtimes then compute in int8.

One file for all runtimes, so it keeps to what the strictest, TensorRT, takes: weights with a scale a channel, values
with a scale a tensor, all symmetric (zero point 0), biases in fp32. Quantised are convolutions and products with
weights; the sum of a residual connection with a convolution; and the poolings between them. Attention's products,
softmax, normalisations and activations stay in fp32, as do the outputs of matrix products: there 8 bits cost more than
they save. Scales and integers are those of ONNX Runtime's own quantiser, which a test holds; that one takes seconds for
a large network, because it visits every channel of every weight in Python.
"""

from __future__ import annotations

from typing import Any

from ..metric import Runner
from .pairs import PairWriter, parsed, positive_scale
from .ranges import magnitudes
from .runtimes import onnxruntime_runner, require_onnxruntime
from .samples import Samples, synthetic_samples

RUNTIME, CALIBRATED = "onnxruntime", True
TOLERANCE = 0.2  # what rounds the other way in one layer grows from there to the last
WEIGHTED = ("Conv", "Gemm", "MatMul")
SAME_SCALE = ("AveragePool", "MaxPool")  # their outputs lie within their inputs


def convert(model: bytes, samples: Samples | None, sampled: bytes | None) -> bytes:
    """Return the model with Q/DQ pairs, the same bytes for the same inputs; where nothing can be quantised, itself.

    Takes some 10 ms a layer, and the time to run the samples.
    """
    converted = parsed(model)
    nodes = quantised_nodes(converted.graph)
    if not nodes:
        return model
    sources = scale_sources(nodes)
    observed = parsed(sampled) if sampled else converted
    largest = magnitudes(
        observed, sorted(set(sources.values())), synthetic_samples(observed) if samples is None else samples
    )
    scales = {tensor: positive_scale(largest[source]) for tensor, source in sources.items()}
    PairWriter(converted.graph, scales).write([node for node in nodes if node.op_type in WEIGHTED])
    content: bytes = converted.SerializeToString(deterministic=True)
    return content


def require() -> None:
    """Raise PrecisionUnavailable without ONNX Runtime."""
    require_onnxruntime()


def runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime, whose kernels compute in int8."""
    return onnxruntime_runner(model)


def quantised_nodes(graph: Any) -> tuple[Any, ...]:
    """Return the nodes that compute in int8."""
    from onnx import TensorProto

    ranks = {array.name: len(array.dims) for array in graph.initializer if array.data_type == TensorProto.FLOAT}
    convolved = {node.output[0] for node in graph.node if node.op_type == "Conv"}
    quantised: set[str] = set()

    def is_quantised(node: Any) -> bool:
        inputs = set(node.input)
        if node.op_type in WEIGHTED:
            constant_bias = len(node.input) < 3 or node.input[2] in ranks
            return ranks.get(node.input[1], 0) >= 2 and node.input[0] not in ranks and constant_bias
        if node.op_type == "Add":
            return not inputs & ranks.keys() and bool(inputs & convolved)
        return node.op_type == "GlobalAveragePool" or (node.op_type in SAME_SCALE and bool(inputs & quantised))

    found = []
    for node in graph.node:
        if is_quantised(node):
            found.append(node)
            quantised.update((*node.input, *node.output) if node.op_type not in ("Gemm", "MatMul") else node.input[:1])
    return tuple(found) if any(node.op_type in WEIGHTED for node in found) else ()


def scale_sources(nodes: tuple[Any, ...]) -> dict[str, str]:
    """Return, for each tensor that gets a Q/DQ pair, the tensor whose size its scale follows."""
    sources: dict[str, str] = {}
    for node in nodes:
        values = node.input[:1] if node.op_type in WEIGHTED else node.input
        for name in values:
            sources.setdefault(name, name)
        if node.op_type in SAME_SCALE:
            sources[node.output[0]] = sources[node.input[0]]
        elif node.op_type not in ("Gemm", "MatMul"):
            sources.setdefault(node.output[0], node.output[0])
    return sources

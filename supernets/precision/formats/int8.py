"""8-bit integers by static quantisation: Q/DQ pairs around what runtimes then compute in int8.

One file for all runtimes, so it keeps to what the strictest, TensorRT, takes: weights with a scale a channel, values
with a scale a tensor, all symmetric (zero point 0), biases in fp32. Quantised are convolutions and products with
weights; the sum of a residual connection with a convolution; and the poolings between them. Attention's products,
softmax, normalisations and activations stay in fp32. Integers and scales are those of ONNX Runtime's own quantiser,
which a test holds; that one takes seconds for a large network, because it visits every channel of a weight in Python.

Weights have 8 bits, or 7 for processors whose kernels would saturate with 8 (`kernels.py`). The file says which, and
where a file of 8 is run on such a processor, for another, its Q/DQ pairs are computed in fp32.
"""

from __future__ import annotations

from typing import Any

from ...metric import Runner
from ..kernels import FULL, weight_bits_here
from ..pairs import PairWriter, parsed, positive_scale
from ..ranges import magnitudes
from ..runtimes import onnxruntime_runner, require_onnxruntime
from ..samples import Samples, synthetic_samples

RUNTIME, CALIBRATED = "onnxruntime", True
TOLERANCE = 0.2  # what rounds the other way in one layer grows from there to the last
PRODUCTS = ("Gemm", "MatMul")
WEIGHTED = ("Conv", *PRODUCTS)
SAME_SCALE = ("AveragePool", "MaxPool")  # their outputs lie within their inputs


WEIGHT_BITS = "gnomon.weight_bits"  # of a file's metadata


def convert(model: bytes, samples: Samples | None, sampled: bytes | None, weight_bits: int | None) -> bytes:
    """Return the model with Q/DQ pairs, the same bytes for the same inputs; where nothing can be quantised, itself.

    Without `weight_bits` they are those of this machine.

    Takes some 20 ms a layer, and the time to run the samples.
    """
    converted = parsed(model)
    nodes = quantised_nodes(converted.graph)
    if not nodes:
        return model
    sources = scale_sources(nodes, undecided(converted.graph))
    observed = parsed(sampled) if sampled else converted
    given = synthetic_samples(observed) if samples is None else samples
    sizes = magnitudes(observed, sorted(set(sources.values())), given)
    products = {name for node in nodes if node.op_type in PRODUCTS for name in (node.input[0], node.output[0])}
    scales = {
        tensor: positive_scale(sizes[source].largest if source in products else sizes[source].usual)
        for tensor, source in sources.items()
    }
    bits = weight_bits or weight_bits_here()
    PairWriter(converted.graph, scales, weight_bits=bits).write([n for n in nodes if n.op_type in WEIGHTED])
    converted.metadata_props.add(key=WEIGHT_BITS, value=str(bits))
    content: bytes = converted.SerializeToString(deterministic=True)
    return content


def require() -> None:
    """Raise PrecisionUnavailable without ONNX Runtime."""
    require_onnxruntime()


def runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime: in integers, or in fp32 between its pairs where integers would saturate."""
    return onnxruntime_runner(model, optimised=weight_bits_in(model) <= weight_bits_here())


def exact_runner(model: bytes) -> Runner:
    """Run it in ONNX Runtime in fp32 between its pairs, which is what the file says; three times slower."""
    return onnxruntime_runner(model, optimised=False)


def weight_bits_in(model: bytes) -> int:
    """Return the bits of a file's weights, as its metadata say; 8 where they do not."""
    found = {entry.key: entry.value for entry in parsed(model).metadata_props}
    return int(found.get(WEIGHT_BITS, FULL))


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
            quantised.update((*node.input, *node.output))
    return tuple(found) if any(node.op_type in WEIGHTED for node in found) else ()


def undecided(graph: Any) -> set[str]:
    """Return what the graph itself takes the best of: 8 bits would make equals of the foremost."""
    return {node.input[0] for node in graph.node if node.op_type == "ArgMax"}


def scale_sources(nodes: tuple[Any, ...], exact: set[str]) -> dict[str, str]:
    """Return, for each tensor that gets Q/DQ pairs, the tensor whose size its scale follows; none is `exact`."""
    sources: dict[str, str] = {}
    for node in nodes:
        values = node.input[:1] if node.op_type in WEIGHTED else node.input
        for name in values:
            sources.setdefault(name, name)
        if node.op_type in SAME_SCALE:
            sources[node.output[0]] = sources[node.input[0]]
        else:
            sources.setdefault(node.output[0], node.output[0])
    return {name: source for name, source in sources.items() if name not in exact}

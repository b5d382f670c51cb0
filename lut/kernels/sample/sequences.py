"""Random networks on sequences: transformers in floating point and with whole numbers, recurrence, convolutions."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper

from .net import Net

Rng = np.random.Generator


def transformer(rng: Rng) -> bytes:
    """Attention and wide layers between layer norms, as exporters write them."""
    net = Net(rng)
    tokens, heads = int(rng.choice([32, 64, 128, 196, 256])), int(rng.choice([3, 4, 6, 8, 12]))
    size = heads * int(rng.choice([32, 32, 64]))
    integers = rng.random() < 0.4
    x = embedded(net, tokens, size) if rng.random() < 0.6 else net.input(1, tokens, size)
    for _ in range(2):
        x = normed(net, net.add(x, attended(net, x, heads, integers=integers)))
        y = gelu(net, linear(net, x, size * int(rng.choice([2, 4])), integers=integers))
        x = normed(net, net.add(x, linear(net, y, size, integers=integers)))
    return net.model(net.node("ReduceMean", [x], (1, size), axes=[1], keepdims=0))


def embedded(net: Net, tokens: int, size: int) -> str:
    """Look ids up in a table."""
    ids = net.input(1, tokens, dtype=TensorProto.INT64)
    table = net.weight(int(net.rng.choice([1000, 8000, 30000])), size)
    return net.node("Gather", [table, ids], (1, tokens, size), axis=0)


def linear(net: Net, x: str, width: int, *, integers: bool) -> str:
    """Multiply with a matrix and add a bias; with `integers` the product is of whole numbers."""
    if not integers:
        return net.linear(x, width)
    shape = net.shape[x]
    names = [f"{x}.q{len(net.nodes)}.{part}" for part in ("value", "scale", "zero")]
    net.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], names))
    net.shape.update(zip(names, (shape, (), ())))
    weight = net.constant(net.rng.integers(-127, 128, (shape[-1], width)).astype(np.int8))
    inputs = [names[0], weight, names[2], net.constant(np.int8(0))]
    product = net.node("MatMulInteger", inputs, (*shape[:-1], width))
    product = net.node("Cast", [product], (*shape[:-1], width), to=TensorProto.FLOAT)
    scale = net.node("Mul", [names[1], net.constant(np.float32(0.014 / shape[-1] ** 0.5))], ())
    product = net.node("Mul", [product, scale], (*shape[:-1], width))
    return net.node("Add", [product, net.weight(width, fan_in=100)], (*shape[:-1], width))


def attended(net: Net, x: str, heads: int, *, integers: bool) -> str:
    """Self-attention."""
    batch, tokens, size = net.shape[x]
    parts = [linear(net, x, size, integers=integers) for _ in range(3)]
    query, key, value = (net.reshape(part, batch, tokens, heads, size // heads) for part in parts)
    query, value = net.transpose(query, 0, 2, 1, 3), net.transpose(value, 0, 2, 1, 3)
    key = net.transpose(key, 0, 2, 3, 1)
    scores = net.node("MatMul", [query, key], (batch, heads, tokens, tokens))
    scores = net.node("Div", [scores, net.constant(np.float32((size / heads) ** 0.5))], net.shape[scores])
    scores = net.node("Softmax", [scores], net.shape[scores], axis=-1)
    mixed = net.node("MatMul", [scores, value], (batch, heads, tokens, size // heads))
    mixed = net.reshape(net.transpose(mixed, 0, 2, 1, 3), batch, tokens, size)
    return linear(net, mixed, size, integers=integers)


def normed(net: Net, x: str) -> str:
    """Layer norm: one node, or the nodes that older exporters write."""
    size = net.shape[x][-1]
    scale, shift = net.constant(np.ones(size, np.float32)), net.constant(np.zeros(size, np.float32))
    if net.rng.random() < 0.3:
        return net.node("LayerNormalization", [x, scale, shift], net.shape[x], axis=-1)
    row = (*net.shape[x][:-1], 1)
    centred = net.node("Sub", [x, net.node("ReduceMean", [x], row, axes=[-1])], net.shape[x])
    squared = net.node("Pow", [centred, net.constant(np.float32(2))], net.shape[x])
    variance = net.node("ReduceMean", [squared], row, axes=[-1])
    deviation = net.node("Sqrt", [net.node("Add", [variance, net.constant(np.float32(1e-5))], row)], row)
    normal = net.node("Div", [centred, deviation], net.shape[x])
    return net.add(net.node("Mul", [normal, scale], net.shape[x]), shift)


def gelu(net: Net, x: str) -> str:
    """The activation of transformers, written with erf."""
    shape = net.shape[x]
    y = net.node("Erf", [net.node("Div", [x, net.constant(np.float32(2**0.5))], shape)], shape)
    y = net.node("Mul", [x, net.node("Add", [y, net.constant(np.float32(1))], shape)], shape)
    return net.node("Mul", [y, net.constant(np.float32(0.5))], shape)


def recurrent(rng: Rng) -> bytes:
    """Convolutions over time, then recurrence in both directions."""
    net = Net(rng)
    steps, size = int(rng.choice([1, 8, 25, 40, 64, 96])), int(rng.choice([32, 64, 128]))
    x = net.input(1, int(rng.choice([16, 40, 64, 129])), 4 * steps)
    for stride in (1, 2, 2):
        n, taken, length = net.shape[x]
        kernel = int(rng.choice([3, 5]))
        weight = net.weight(size, taken, kernel, fan_in=taken * kernel)
        shape = (n, size, (length + 2 * (kernel // 2) - kernel) // stride + 1)
        x = net.node(
            "Conv", [x, weight, net.weight(size, fan_in=100)], shape,
            kernel_shape=[kernel], strides=[stride], pads=[kernel // 2] * 2,
        )  # fmt: skip
        x = net.act(x, "Relu")
    x = net.transpose(x, 2, 0, 1)
    operator, gates = ("LSTM", 4) if rng.random() < 0.7 else ("GRU", 3)
    for _ in range(3):
        hidden, ways = int(rng.choice([32, 64, 96, 128, 192, 256])), int(rng.choice([1, 2]))
        length, n, taken = net.shape[x]
        weights = [net.weight(ways, gates * hidden, fan, fan_in=4 * fan) for fan in (taken, hidden)]
        bias = net.weight(ways, 2 * gates * hidden, fan_in=100)
        direction = "bidirectional" if ways == 2 else "forward"
        y = net.node(operator, [x, *weights, bias], (length, ways, n, hidden), hidden_size=hidden, direction=direction)
        x = net.reshape(net.transpose(y, 0, 2, 1, 3), length, n, ways * hidden)
    return net.model(net.node("Softmax", [net.linear(x, int(rng.choice([40, 1000, 6000])))], (length, n, 1), axis=-1))


FAMILIES = (transformer, recurrent)

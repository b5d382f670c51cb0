"""Single operators at random sizes, side by side in one graph: kernels of sorts that sampled networks meet seldom.

A regression of a sort is as good as the sizes that it was fitted to, and a network has a sort's kernels at few of them.
Nobody times these graphs whole; each function is of a random generator and returns ONNX bytes.
"""

from __future__ import annotations

import math

import numpy as np
from onnx import TensorProto, helper

from .net import Net

Rng = np.random.Generator

SIDES = (1, 4, 7, 8, 10, 14, 16, 20, 28, 32, 40, 56, 64, 80, 112, 160)
LARGEST = 1_000_000  # numbers of a value
UNARY = ("Relu", "Sigmoid", "Tanh", "Erf", "HardSigmoid", "LeakyRelu", "Sqrt", "Exp", "Relu6", "Swish", "HardSwish")
BINARY = ("Add", "Sub", "Mul", "Div")


def log_uniform(rng: Rng, low: float, high: float, multiple: int = 1) -> int:
    """Return a random multiple of a number, the log of which is uniform."""
    return multiple * max(1, round(math.exp(rng.uniform(math.log(low), math.log(high))) / multiple))


def image(net: Net, *, multiple: int = 8) -> str:
    """Add an input of an image's form."""
    rng = net.rng
    channels = log_uniform(rng, 8, 640, multiple)
    sides = [side for side in SIDES if side**2 * channels <= LARGEST]
    side = int(rng.choice(sides))
    return net.input(1, channels, side, max(1, side // int(rng.choice([1, 1, 1, 2, 4]))))


def sequence(net: Net) -> str:
    """Add an input of a sequence's form."""
    size = log_uniform(net.rng, 32, 1600, 8)
    return net.input(1, log_uniform(net.rng, 1, min(512, LARGEST / size)), size)


def either(net: Net) -> str:
    """Add an input of one of both forms."""
    return image(net) if net.rng.random() < 0.5 else sequence(net)


def ended(net: Net) -> bytes:
    """Return the graph, all values that nobody takes being outputs."""
    taken = {name for node in net.nodes for name in node.input}
    return net.model(*(name for node in net.nodes for name in node.output if name and name not in taken))


def elementwise(rng: Rng) -> bytes:
    """Operators on every number: of one value, of two, and of a value and constants of several forms."""
    net = Net(rng)
    for name in UNARY:
        for x in (image(net), sequence(net)):
            net.act(x, name)
    for name in BINARY:
        for x in (image(net), sequence(net)):
            shape = net.shape[x]
            others = (
                net.input(*shape),
                net.constant(np.float32(2)),
                per_channel(net, x),
                net.input(*shape[:2], *(1,) * (len(shape) - 2)),
            )
            for other in rng.permutation(len(others))[:2]:
                net.node(name, [x, others[other]], shape)
    for _ in range(2):
        x = either(net)
        net.node("Pow", [x, net.constant(np.float32(2))], net.shape[x])
        x = either(net)
        net.node("Sum", [x, net.input(*net.shape[x]), net.input(*net.shape[x])], net.shape[x])
        x = sequence(net)
        mask = net.input(1, net.shape[x][1], 1, dtype=TensorProto.BOOL)
        net.node("Where", [mask, x, net.constant(np.float32(-1))], net.shape[x])
        heads, tokens = int(rng.choice([4, 8, 12])), log_uniform(rng, 8, 200)
        x, mask = net.input(1, heads, tokens, tokens), net.input(1, 1, tokens, tokens, dtype=TensorProto.BOOL)
        net.node("Where", [mask, net.constant(np.float32(-1)), x], net.shape[x])
        x = either(net)
        net.node("Cast", [x], net.shape[x], to=TensorProto.INT64)
    return ended(net)


def per_channel(net: Net, x: str) -> str:
    """Add a constant that has a number for each channel of an image, or for each place in a row."""
    shape = net.shape[x]
    return net.weight(shape[1], 1, 1) if len(shape) == 4 else net.weight(shape[-1])


def reduced(rng: Rng) -> bytes:
    """Operators over windows, rows and whole images, and what normalises by them."""
    net = Net(rng)
    for name in ("ReduceMean", "ReduceMax"):
        for axes in ([-1], [2], [2, 3]):
            x = image(net)
            shape = [1 if at in {axis % 4 for axis in axes} else size for at, size in enumerate(net.shape[x])]
            net.node(name, [x], shape, axes=axes)
    for axis in (1, 2, 1, 2):
        x = sequence(net)
        shape = [1 if at == axis else size for at, size in enumerate(net.shape[x])]
        net.node("ReduceSum", [x, net.constant(np.array([axis], np.int64))], shape)
    for axis in (-1, -1, 1):
        x = either(net)
        net.node("Softmax", [x], net.shape[x], axis=axis)
    x = net.input(1, 4, log_uniform(rng, 4, 32), log_uniform(rng, 100, 4000))
    net.node("Softmax", [x], net.shape[x], axis=int(rng.choice([1, 2])))
    heads = int(rng.choice([4, 8, 12]))
    tokens = log_uniform(rng, 8, 200)
    net.node("Softmax", [net.input(1, heads, tokens, tokens)], (1, heads, tokens, tokens), axis=-1)
    for kind in ("MaxPool", "AveragePool", "MaxPool"):
        x = image(net)
        if min(net.shape[x][2:]) >= 4:
            kernel = int(rng.choice([2, 3, 5]))
            net.pool(x, kernel, int(rng.choice([1, 2])), pad=kernel // 2 if kernel > 2 else 0, kind=kind)
    net.mean(image(net))
    x = image(net)
    net.node("LRN", [x], net.shape[x], size=5)
    for taken in range(4):
        x = sequence(net)
        size = net.shape[x][-1]
        scale, shift = net.constant(np.ones(size, np.float32)), net.constant(np.zeros(size, np.float32))
        if taken % 2:  # a sum before it is one kernel with it
            x = net.add(x, net.input(*net.shape[x]))
        net.node("LayerNormalization", [x, scale, shift], net.shape[x], axis=-1)
    return ended(net)


def moved(rng: Rng) -> bytes:
    """Operators that only move numbers."""
    net = Net(rng)
    for order in ((0, 2, 3, 1), (0, 3, 1, 2), (0, 2, 1, 3), (0, 1, 3, 2)):
        net.transpose(image(net), *order)
    net.transpose(sequence(net), 0, 2, 1)
    for axis in (1, 1, 2, 3):
        x = either(net) if axis < 3 else image(net)
        size = net.shape[x][axis]
        if size > 1:
            start = int(rng.integers(0, size // 2))
            net.slice(x, start, int(rng.integers(start + 1, size + 1)), axis)
    net.split(image(net, multiple=8), int(rng.choice([2, 4])))
    for axis in (1, 1, 2):
        x = either(net)
        net.concat([x, *(net.input(*net.shape[x]) for _ in range(int(rng.integers(1, 4))))], axis)
    for mode in ("nearest", "linear"):
        x = image(net)
        if net.shape[x][2] <= 40:
            net.upsample(x, mode)
    x = image(net)
    n, channels, height, width = net.shape[x]
    pads = net.constant(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    net.node("Pad", [x, pads], (n, channels, height + 2, width + 2))
    rows, length = int(rng.choice([1, 1, 32])), log_uniform(rng, 64, 4000)
    wave, pads = net.input(rows, length), net.constant(np.array([0, 8, 0, 64], np.int64))
    net.node("Pad", [wave, pads], (rows, length + 72), mode=str(rng.choice(["reflect", "constant"])))
    size, tokens = log_uniform(rng, 32, 1024, 8), log_uniform(rng, 1, 256)
    ids = net.input(1, tokens, dtype=TensorProto.INT64)
    net.node("Gather", [net.weight(log_uniform(rng, 100, 8000), size), ids], (1, tokens, size), axis=0)
    x = image(net)
    n, channels, height, width = net.shape[x]
    net.reshape(x, n, channels, height * width)
    x = sequence(net)
    net.node("Unsqueeze", [x, net.constant(np.array([1], np.int64))], (1, *net.shape[x]))
    net.node("Squeeze", [x, net.constant(np.array([0], np.int64))], net.shape[x][1:])
    net.node("Expand", [net.input(1, 1, size), net.constant(np.array([1, tokens, size]))], (1, tokens, size))
    return ended(net)


def convolved(rng: Rng) -> bytes:
    """Convolutions: by channel, of all channels, in groups, over time, transposed; with and without activations."""
    net = Net(rng)
    acts = ("", "Relu", "HardSwish", "Swish", "Relu6")
    for at in range(23):
        x = image(net, multiple=4)
        channels, side = net.shape[x][1], net.shape[x][2]
        stride = int(rng.choice([1, 1, 2])) if min(net.shape[x][2:]) >= 4 else 1
        if at < 8:
            y = net.conv(x, channels, int(rng.choice([3, 5, 7])), stride, group=0)
        elif at < 15:
            most = max(16.0, min(640.0, 3e8 / (channels * side**2 * 9)))
            y = net.conv(x, log_uniform(rng, 8, most, 4), int(rng.choice([1, 1, 3, 5])), stride)
        else:
            group = int(rng.choice([g for g in (2, 4, 8) if channels % g == 0]))
            y = net.conv(x, group * log_uniform(rng, 4, 160, 2), int(rng.choice([1, 1, 3])), stride, group=group)
        if act := str(rng.choice(acts)):
            net.act(y, act)
    for at in range(10):
        taken, given, kernel, stride = (
            log_uniform(rng, 1, 256),
            log_uniform(rng, 16, 256, 2),
            int(rng.choice([1, 3, 5])),
            1,
        )
        if at < 2:  # a spectrum: long windows over a wave
            kernel = int(rng.choice([128, 256, 400, 512]))
            taken, given, stride = 1, kernel + 2, kernel // int(rng.choice([2, 4]))
        n, length = int(rng.choice([1, 1, 8, 32])), log_uniform(rng, 1, 512 if stride == 1 else 40)
        if n * length * taken * kernel * given > 2e8:
            n = 1
        weight = net.weight(given, taken, kernel, fan_in=taken * kernel)
        wave = net.input(n, taken, (length - 1) * stride + kernel)
        x = net.node("Conv", [wave, weight], (n, given, length), kernel_shape=[kernel], strides=[stride])
        if rng.random() < 0.5:
            net.act(x, "Relu")
    x = image(net)
    n, taken, height, width = net.shape[x]
    if taken * height * width <= LARGEST / 4:
        weight, shape = (
            net.weight(taken, max(1, taken // 2), 2, 2, fan_in=taken),
            (n, max(1, taken // 2), 2 * height, 2 * width),
        )
        net.node("ConvTranspose", [x, weight], shape, kernel_shape=[2, 2], strides=[2, 2])
    return ended(net)


def multiplied(rng: Rng) -> bytes:
    """Products of matrices in floating point and of whole numbers, and recurrence."""
    net = Net(rng)
    for _ in range(3):
        rows, taken = log_uniform(rng, 1, 256), log_uniform(rng, 16, 2048, 8)
        x = net.gemm(net.input(rows, taken), log_uniform(rng, 8, min(2048, 2e6 / taken), 2))
        if rng.random() < 0.3:
            net.act(x, "Relu")
        x = sequence(net)
        net.linear(x, log_uniform(rng, 32, min(2048, 2e6 / net.shape[x][-1]), 8), bias=bool(rng.random() < 0.5))
        heads, tokens, size = int(rng.choice([4, 8, 12])), log_uniform(rng, 8, 200), int(rng.choice([32, 64]))
        left = net.input(1, heads, tokens, size)
        net.node("MatMul", [left, net.input(1, heads, size, tokens)], (1, heads, tokens, tokens))
    for _ in range(2):
        x = sequence(net)
        x, scale, zero = quantised(net, x)
        shape, width = net.shape[x], log_uniform(rng, 32, 1024, 8)
        weight = net.constant(rng.integers(-127, 128, (shape[-1], width)).astype(np.int8))
        y = net.node("MatMulInteger", [x, weight, zero, net.constant(np.int8(0))], (*shape[:-1], width))
        dequantised(net, y, scale)
        x, scale, zero = quantised(net, image(net))
        n, taken, height, wide = net.shape[x]
        given, kernel = (
            log_uniform(rng, 8, max(16.0, min(256.0, 1e8 / (taken * height * wide * 9))), 4),
            int(rng.choice([1, 3])),
        )
        weight = net.constant(rng.integers(0, 255, (given, taken, kernel, kernel)).astype(np.uint8))
        pads = [kernel // 2] * 4
        y = net.node(
            "ConvInteger", [x, weight, zero, net.constant(np.uint8(128))], (n, given, height, wide),
            kernel_shape=[kernel] * 2, pads=pads,
        )  # fmt: skip
        dequantised(net, y, scale)
        operator, gates = ("LSTM", 4) if rng.random() < 0.7 else ("GRU", 3)
        length, taken, hidden = log_uniform(rng, 1, 64), log_uniform(rng, 16, 512, 8), log_uniform(rng, 16, 256, 8)
        weights = [net.weight(1, gates * hidden, fan, fan_in=4 * fan) for fan in (taken, hidden)]
        x = net.input(length, 1, taken)
        net.node(operator, [x, *weights], (length, 1, 1, hidden), hidden_size=hidden)
    for _ in range(3):
        x = sequence(net)
        shape, width = net.shape[x], log_uniform(rng, 32, min(2048, 2e6 / net.shape[x][-1]), 8)
        net.node("MatMul", [x, weight_of_eight_bits(net, shape[-1], width)], (*shape[:-1], width))
    return ended(net)


def weight_of_eight_bits(net: Net, taken: int, width: int) -> str:
    """Add a matrix that is stored in whole numbers, with a scale for each column."""
    stored = net.constant(net.rng.integers(-127, 128, (taken, width)).astype(np.int8))
    real = net.node("Cast", [stored], (taken, width), to=TensorProto.FLOAT)
    return net.node("Mul", [real, net.constant(np.full((1, width), 1e-3, np.float32))], (taken, width))


def quantised(net: Net, x: str) -> tuple[str, str, str]:
    """Make whole numbers of a value; return them, their scale and their zero."""
    value, scale, zero = (f"{x}.{part}" for part in ("value", "scale", "zero"))
    net.nodes.append(helper.make_node("DynamicQuantizeLinear", [x], [value, scale, zero]))
    net.shape.update({value: net.shape[x], scale: (), zero: ()})
    return value, scale, zero


def dequantised(net: Net, x: str, scale: str) -> str:
    """Make floating point of a product of whole numbers."""
    y = net.node("Cast", [x], net.shape[x], to=TensorProto.FLOAT)
    return net.node("Mul", [y, scale], net.shape[x])


FAMILIES = (elementwise, reduced, moved, convolved, multiplied)

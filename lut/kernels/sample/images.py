"""Random networks on images, of families that are in use: what differs is what they are built of, not what they do.

Each is a function of a random generator and returns ONNX bytes. They are a third of a real network's depth, so that a
kernel profile sees many shapes in little time.
"""

from __future__ import annotations

import numpy as np

from .net import Net

Rng = np.random.Generator


def start(rng: Rng, *sides: int) -> tuple[Net, str]:
    """Return a network and its image."""
    net, side = Net(rng), int(rng.choice(sides or (64, 96, 128, 160, 224)))
    return net, net.input(1, 3, side, side)


def width(rng: Rng, *near: int) -> int:
    """Return a number of channels, a multiple of four near one of some."""
    return max(8, int(4 * round(rng.choice(near) * rng.uniform(0.7, 1.4) / 4)))


def classified(net: Net, x: str, classes: int = 1000) -> bytes:
    """End in a classifier."""
    return net.model(net.node("Softmax", [net.gemm(net.flat(net.mean(x)), classes)], (1, classes)))


def plain(rng: Rng) -> bytes:
    """Convolutions and pooling, then large matrices, some with local response normalisation."""
    net, x = start(rng)
    kernel = int(rng.choice([3, 7, 11]))
    x = net.act(net.conv(x, width(rng, 32, 64), kernel, 4 if kernel == 11 else 2), "Relu")
    for channels in (96, 192, 256, 384):
        if rng.random() < 0.5:
            x = net.node("LRN", [x], net.shape[x], size=5)
        for _ in range(int(rng.integers(1, 3))):
            x = net.act(net.conv(x, width(rng, channels), int(rng.choice([3, 3, 5]))), "Relu")
        x = net.pool(x, int(rng.choice([2, 3])), 2)
    x = net.flat(x)
    for size in (width(rng, 512, 2048, 4096), width(rng, 512, 1024), 1000):
        x = net.act(net.gemm(x, size), "Relu")
    return net.model(net.node("Softmax", [x], net.shape[x]))


def residual(rng: Rng) -> bytes:
    """Bottlenecks with batch norm, some with groups."""
    net, x = start(rng)
    x = net.act(net.norm(net.conv(x, width(rng, 32, 64), 7, 2, bias=False)), "Relu")
    x = net.pool(x, 3, 2, pad=1)
    group = int(rng.choice([1, 1, 2, 4, 8]))
    for channels, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        inner = 8 * group * max(1, round(width(rng, channels) / 8 / group))
        for repeat in range(2):
            step = stride if repeat == 0 else 1
            y = net.act(net.norm(net.conv(x, inner, 1, bias=False)), "Relu")
            y = net.act(net.norm(net.conv(y, inner, 3, step, group=group, bias=False)), "Relu")
            y = net.norm(net.conv(y, 2 * inner, 1, bias=False))
            side = x if repeat else net.norm(net.conv(x, 2 * inner, 1, step, bias=False))
            x = net.act(net.add(y, side), "Relu")
    return classified(net, x)


def inverted(rng: Rng) -> bytes:
    """Depthwise convolutions between pointwise ones, with squeeze and excitation and several activations."""
    net, x = start(rng)
    act = str(rng.choice(["Relu6", "HardSwish", "Swish", "Relu"]))
    x = net.act(net.conv(x, 16, 3, 2), act)
    for channels, stride in ((24, 2), (40, 2), (80, 2), (112, 1), (160, 2)):
        wide = 8 * round(width(rng, channels) / 8)
        for repeat in range(2):
            taken, expansion = net.shape[x][1], int(rng.choice([2, 3, 4, 6]))
            y = net.act(net.conv(x, taken * expansion, 1), act)
            y = net.act(
                net.conv(y, taken * expansion, int(rng.choice([3, 5, 7])), 1 if repeat else stride, group=0), act
            )
            if rng.random() < 0.5:
                y = excited(net, y, str(rng.choice(["HardSigmoid", "Sigmoid"])))
            y = net.conv(y, wide, 1)
            x = net.add(x, y) if repeat else y
    return classified(net, net.act(net.conv(x, width(rng, 480, 960), 1), act))


def excited(net: Net, x: str, gate: str) -> str:
    """Scale the channels by what their means say."""
    channels = net.shape[x][1]
    y = net.act(net.conv(net.mean(x), max(8, channels // 4 // 8 * 8), 1), "Relu")
    return net.node("Mul", [x, net.act(net.conv(y, channels, 1), gate)], net.shape[x])


def dense(rng: Rng) -> bytes:
    """Every layer takes all earlier ones: batch norm and activation before the convolution, concatenation after it."""
    net, x = start(rng, 64, 112, 160, 224)
    growth = int(rng.choice([12, 16, 24, 32]))
    x = net.pool(net.act(net.norm(net.conv(x, 2 * growth, 7, 2, bias=False)), "Relu"), 3, 2, pad=1)
    for stage in range(3):
        for _ in range(int(rng.integers(3, 6))):
            y = net.conv(net.act(net.norm(x), "Relu"), 4 * growth, 1, bias=False)
            y = net.conv(net.act(net.norm(y), "Relu"), growth, 3, bias=False)
            x = net.concat([x, y])
        if stage < 2:
            x = net.conv(net.act(net.norm(x), "Relu"), width(rng, net.shape[x][1]), 1, bias=False)
            x = net.pool(x, 2, 2, kind="AveragePool")
    return classified(net, net.act(net.norm(x), "Relu"))


def branched(rng: Rng) -> bytes:
    """Parallel convolutions of several sizes and a pooling, concatenated; squeeze and expand."""
    net, x = start(rng)
    x = net.pool(
        net.act(net.conv(x, width(rng, 64), int(rng.choice([3, 7])), 2), "Relu"), 3, 2, pad=int(rng.integers(2))
    )
    if rng.random() < 0.5:
        x = net.node("LRN", [x], net.shape[x], size=5)
    kind = str(rng.choice(["MaxPool", "AveragePool"]))
    for stage in range(3):
        for _ in range(2):
            if rng.random() < 0.4:
                y = net.act(net.conv(x, width(rng, 16, 32, 48, 64), 1), "Relu")
                parts = [net.act(net.conv(y, width(rng, 64, 128, 256), kernel), "Relu") for kernel in (1, 3)]
            else:
                parts = [net.act(net.conv(x, width(rng, 64, 128, 192), 1), "Relu")]
                parts.append(
                    net.act(net.conv(net.act(net.conv(x, width(rng, 96), 1), "Relu"), width(rng, 128, 208), 3), "Relu")
                )
                y = net.act(net.conv(x, width(rng, 16, 32), 1), "Relu")
                parts.append(net.act(net.conv(y, width(rng, 48, 96), 5), "Relu"))
                parts.append(net.act(net.conv(net.pool(x, 3, 1, pad=1, kind=kind), width(rng, 64), 1), "Relu"))
            x = net.concat(parts)
        x = net.pool(x, 3, 2, pad=1) if stage < 2 else x
    return classified(net, x)


def shuffled(rng: Rng) -> bytes:
    """Grouped pointwise convolutions with their channels shuffled, or half of the channels passed by."""
    net, x = start(rng)
    x = net.pool(net.act(net.norm(net.conv(x, 24, 3, 2, bias=False)), "Relu"), 3, 2, pad=1)
    group, halved = int(rng.choice([2, 3, 4, 8])), rng.random() < 0.4
    for channels in (96, 192, 384):
        wide = 8 * group * max(1, round(width(rng, channels) / 8 / group))
        x = net.act(net.norm(net.conv(x, wide, 3, 2, bias=False)), "Relu")
        for _ in range(2):
            if halved:
                side, y = net.split(x, 2)
                y = net.act(net.norm(net.conv(y, wide // 2, 1, bias=False)), "Relu")
                y = net.norm(net.conv(y, wide // 2, 3, group=0, bias=False))
                x = mixed(net, net.concat([side, net.act(net.norm(net.conv(y, wide // 2, 1, bias=False)), "Relu")]), 2)
                continue
            y = mixed(net, net.act(net.norm(net.conv(x, wide, 1, group=group, bias=False)), "Relu"), group)
            y = net.norm(net.conv(y, wide, 3, group=0, bias=False))
            y = net.norm(net.conv(y, wide, 1, group=group, bias=False))
            x = net.act(net.node("Sum", [x, y], net.shape[x]), "Relu")
    return classified(net, x)


def mixed(net: Net, x: str, group: int) -> str:
    """Shuffle channels."""
    n, channels, height, size = net.shape[x]
    y = net.reshape(x, n, group, channels // group, height, size)
    return net.reshape(net.transpose(y, 0, 2, 1, 3, 4), n, channels, height, size)


def detector(rng: Rng) -> bytes:
    """Split stages, upsampling and concatenation across scales, and a head that decodes boxes."""
    net, x = start(rng, 96, 128, 160, 256)
    base = int(rng.choice([16, 24, 32]))
    act = str(rng.choice(["Swish", "Swish", "Relu"]))
    x = net.act(net.conv(x, base, 3, 2), act)
    scales = []
    for factor in (2, 4, 8, 16):
        x = net.act(net.conv(x, base * factor, 3, 2), act)
        x = crossed(net, x, base * factor, act)
        scales.append(x)
    y = net.act(net.conv(x, base * 8, 1), act)
    pools = [y]
    for _ in range(3):
        pools.append(net.pool(pools[-1], 5, 1, pad=2))
    x = net.act(net.conv(net.concat(pools), base * 16, 1), act)
    x = crossed(net, net.concat([net.upsample(x), scales[2]]), base * 8, act)
    x = crossed(net, net.concat([net.upsample(x), scales[1]]), base * 4, act)
    n, _, height, size = net.shape[x]
    boxes = net.reshape(net.conv(net.act(net.conv(x, 64, 3), act), 64, 1), n, 64, height * size)
    scores = net.reshape(net.conv(net.act(net.conv(x, 80, 3), act), 80, 1), n, 80, height * size)
    y = net.transpose(net.reshape(boxes, n, 4, 16, height * size), 0, 2, 1, 3)
    y = net.node("Softmax", [y], net.shape[y], axis=1)
    y = net.reshape(net.conv(y, 1, 1, bias=False), n, 4, height * size)
    low, high = net.slice(y, 0, 2), net.slice(y, 2, 4)
    grid = net.weight(1, 2, height * size)
    low, high = net.node("Sub", [grid, low], net.shape[low]), net.node("Add", [high, grid], net.shape[high])
    centre = net.node("Div", [net.add(low, high), net.constant(np.float32(2))], net.shape[low])
    box = net.concat([centre, net.node("Sub", [high, low], net.shape[low])])
    return net.model(net.concat([box, net.node("Sigmoid", [scores], net.shape[scores])]))


def crossed(net: Net, x: str, channels: int, act: str) -> str:
    """Half of the channels go through a bottleneck; all are concatenated."""
    first, second = net.split(net.act(net.conv(x, channels, 1), act), 2)
    y = net.act(net.conv(second, channels // 2, 3), act)
    y = net.add(second, net.act(net.conv(y, channels // 2, 3), act))
    return net.act(net.conv(net.concat([first, second, y]), channels, 1), act)


def segmenter(rng: Rng) -> bytes:
    """An encoder of depthwise convolutions, lateral sums and concatenation, and transposed convolutions at the end."""
    net, x = start(rng, 96, 160, 192, 256)
    act = str(rng.choice(["HardSwish", "Relu"]))
    x = net.act(net.conv(x, 16, 3, 2), act)
    levels = []
    for channels in (32, 64, 128, 256):
        x = net.act(net.norm(net.conv(x, net.shape[x][1], int(rng.choice([3, 5])), 2, group=0, bias=False)), act)
        x = net.act(net.norm(net.conv(x, width(rng, channels), 1, bias=False)), act)
        levels.append(excited(net, x, "HardSigmoid") if rng.random() < 0.7 else x)
    wide = int(rng.choice([64, 96]))
    lateral = [net.conv(level, wide, 1, bias=False) for level in levels]
    for lower in (2, 1, 0):
        lateral[lower] = net.add(lateral[lower], net.upsample(lateral[lower + 1]))
    narrow = [net.conv(level, wide // 4, int(rng.choice([3, 9, 7])), bias=False) for level in lateral]
    for at in (1, 2, 3):
        for _ in range(at):
            narrow[at] = net.upsample(narrow[at])
    x = net.act(net.norm(net.conv(net.concat(narrow), wide // 4, 3, bias=False)), "Relu")
    for channels in (wide // 4, 1):
        n, taken, height, size = net.shape[x]
        weight = net.weight(taken, channels, 2, 2, fan_in=taken)
        x = net.node(
            "ConvTranspose", [x, weight], (n, channels, 2 * height, 2 * size), kernel_shape=[2, 2], strides=[2, 2]
        )
        x = net.act(x, "Relu" if channels > 1 else "Sigmoid")
    return net.model(x)


def small(rng: Rng) -> bytes:
    """A few layers on a small image, all of which fit into the nearest caches."""
    net, x = start(rng, 28, 32, 48)
    act = str(rng.choice(["Relu", "HardSwish"]))
    x = net.act(net.conv(x, int(rng.choice([8, 16])), 3, 2), act)
    for stride in (1, 2, 2, 1)[: int(rng.integers(2, 5))]:
        taken = net.shape[x][1]
        wide, given = taken * int(rng.choice([2, 3])), 8 * round(taken * rng.uniform(1, 1.6) / 8)
        y = net.act(net.conv(x, wide, 1), act)
        y = net.act(net.conv(y, wide, int(rng.choice([3, 5])), stride, group=0), act)
        y = net.conv(excited(net, y, "HardSigmoid") if rng.random() < 0.3 else y, given, 1)
        x = net.add(x, y) if net.shape[x] == net.shape[y] else y
    return classified(net, x, int(rng.choice([2, 10])))


FAMILIES = (small, plain, residual, inverted, dense, branched, shuffled, detector, segmenter)

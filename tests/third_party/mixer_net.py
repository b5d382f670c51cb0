"""A super-network in plain torch: residual blocks with elastic width, kernel, hidden channels and depth."""

from torch import nn

from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer


class Stem(nn.Sequential):
    def __init__(self, width):
        super().__init__(nn.Conv2d(1, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.GELU())


class Mixer(nn.Module):
    def __init__(self, width, kernel, hidden):
        super().__init__()
        self.spatial = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.channels = nn.Sequential(nn.Conv2d(width, hidden, 1), nn.GELU(), nn.Conv2d(hidden, width, 1))

    def forward(self, x):
        return x + self.channels(self.norm(self.spatial(x)))


class Head(nn.Module):
    def __init__(self, width, classes):
        super().__init__()
        self.linear = nn.Linear(width, classes)

    def forward(self, x):
        return self.linear(x.mean((2, 3)))


class MixerNet(TorchSpace):
    input_shape = (1, 28, 28)
    task = "fashion_mnist"
    choices = {  # noqa: RUF012
        "width": (16, 24, 32),
        "kernel.1": (3, 5, 7),
        "kernel.2": (3, 5, 7),
        "hidden": (32, 64),
        "depth": (1, 2),
    }

    @block
    def stem(self, width):
        return layer(Stem, width=width)

    @block
    def first(self, shape, kernel_1, hidden):
        return layer(Mixer, width=shape[0], kernel=kernel_1, hidden=hidden)

    @block
    def second(self, shape, kernel_2, hidden, depth):
        return layer(Mixer, width=shape[0], kernel=kernel_2, hidden=hidden) if depth == 2 else None

    @block
    def head(self, shape):
        return layer(Head, width=shape[0], classes=10)

"""A detector in plain torch: a pyramid of features, and heads for boxes and classes on two of its levels."""

from torch import nn

from gnomon.supernets.own_networks.adapter import Input, TorchSpace, block, layer

CLASSES, BOX = 3, 4


class Stage(nn.Sequential):
    def __init__(self, channels, width):
        super().__init__(nn.Conv2d(channels, width, 3, stride=2, padding=1), nn.BatchNorm2d(width), nn.ReLU())


class Lateral(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.lateral = nn.Conv2d(channels, width, 1)

    def forward(self, x):
        return self.lateral(x)


class Merge(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        self.lateral = nn.Conv2d(channels, width, 1)
        self.grown = nn.ConvTranspose2d(width, width, 2, stride=2, groups=width)

    def forward(self, coarse, fine):
        return self.grown(coarse) + self.lateral(fine)


class Heads(nn.Conv2d):
    def __init__(self, channels, values):
        super().__init__(channels, values, 1)


class Detector(TorchSpace):
    inputs = {"image": Input((3, 32, 32))}  # noqa: RUF012
    outputs = ("boxes3", "classes3", "boxes4", "classes4")
    choices = {"width": (8, 16), "pyramid": (8, 12), "deep": (16, 24, 32)}  # noqa: RUF012

    @block
    def c2(self, shape, width):
        return layer(Stage, channels=shape[0], width=width)

    @block
    def c3(self, shape, width):
        return layer(Stage, channels=shape[0], width=width)

    @block
    def c4(self, shape, deep):
        return layer(Stage, channels=shape[0], width=deep)

    @block
    def p4(self, shape, pyramid):
        return layer(Lateral, channels=shape[0], width=pyramid)

    @block(takes=("p4", "c3"))
    def p3(self, shapes):
        return layer(Merge, channels=shapes["c3"][0], width=shapes["p4"][0])

    @block(takes="p3")
    def boxes3(self, shape):
        return layer(Heads, channels=shape[0], values=BOX)

    @block(takes="p3")
    def classes3(self, shape):
        return layer(Heads, channels=shape[0], values=CLASSES)

    @block(takes="p4")
    def boxes4(self, shape):
        return layer(Heads, channels=shape[0], values=BOX)

    @block(takes="p4")
    def classes4(self, shape):
        return layer(Heads, channels=shape[0], values=CLASSES)

"""A super-network that spots keywords in a second of audio: 1-D convolutions with elastic kernel, width and depth.

It takes 40 cepstral coefficients of each of 101 frames, (40, 101), and gives a score for each of twelve words.
Copy this file, change it, and check it: gnomon space check keyword_spotting:KeywordSpotting
"""

from torch import nn

from gnomon.supernets.own_networks.adapter import Block, TorchSpace, layer

BLOCKS = 4


class Stem(nn.Sequential):
    """Every second frame, `width` channels of it."""

    def __init__(self, coefficients: int, width: int) -> None:
        super().__init__(
            nn.Conv1d(coefficients, width, 5, stride=2, padding=2, bias=False), nn.BatchNorm1d(width), nn.ReLU()
        )


class Separable(nn.Module):
    """A depthwise convolution over time and a pointwise one over channels, added to what comes in."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.time = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.channels = nn.Conv1d(width, width, 1, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(x + self.norm(self.channels(self.time(x))))


class Head(nn.Module):
    """The mean over time, normalised, and a score a word."""

    def __init__(self, width: int, words: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.scores = nn.Linear(width, words)

    def forward(self, x):
        return self.scores(self.norm(x.mean(2)))


class KeywordSpotting(TorchSpace):
    """Its genes: the width of all blocks, the kernel of each, and how many run."""

    def __init__(self, coefficients: int = 40, frames: int = 101, words: int = 12) -> None:
        self.input_shape = (coefficients, frames)
        self.words = words
        kernels = {f"kernel.{n}": (3, 9, 15) for n in range(1, BLOCKS + 1)}
        self.choices = {"width": (16, 32, 64), **kernels, "depth": (2, 3, 4)}

    def blocks(self) -> list[Block]:
        """A stem, the blocks, and a head."""

        def body(n: int) -> Block:
            def make(shape, depth, kernel):
                return layer(Separable, width=shape[0], kernel=kernel) if n <= depth else None

            return Block(f"body{n}", ("depth", f"kernel.{n}"), make)

        return [
            Block("stem", ("width",), lambda shape, width: layer(Stem, coefficients=shape[0], width=width)),
            *(body(n) for n in range(1, BLOCKS + 1)),
            Block("head", (), lambda shape: layer(Head, width=shape[0], words=self.words)),
        ]

"""A U-Net in plain torch: each level of the way up takes what the level of the way down gave; group norm throughout."""

from torch import nn
from torch.nn import functional

from gnomon.supernets.own_networks.adapter import TorchSpace, block, layer

GROUPS = 4


class Down(nn.Sequential):
    def __init__(self, channels, width, kernel, stride):
        super().__init__(
            nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2),
            nn.GroupNorm(GROUPS, width),
            nn.ReLU(),
        )


class Up(nn.Module):
    def __init__(self, channels, skipped, width):
        super().__init__()
        self.grown = nn.ConvTranspose2d(channels, width, 2, stride=2)
        self.skipped = nn.Conv2d(skipped, width, 1)
        self.norm = nn.GroupNorm(GROUPS, width)

    def forward(self, x, skip):
        return functional.relu(self.norm(self.grown(x) + self.skipped(skip)))


class UNet(TorchSpace):
    input_shape = (1, 16, 16)
    choices = {  # noqa: RUF012
        "width.1": (4, 8),
        "width.2": (8, 16),
        "kernel": (3, 5),
        "depth": (1, 2),
    }

    @block
    def down1(self, shape, width_1, kernel):
        return layer(Down, channels=shape[0], width=width_1, kernel=kernel, stride=1)

    @block
    def down2(self, shape, width_2, kernel):
        return layer(Down, channels=shape[0], width=width_2, kernel=kernel, stride=2)

    @block
    def bottom(self, shape, depth, kernel):
        return layer(Down, channels=shape[0], width=shape[0], kernel=kernel, stride=1) if depth == 2 else None

    @block(takes=("bottom", "down1"))
    def up1(self, shapes):
        return layer(Up, channels=shapes["bottom"][0], skipped=shapes["down1"][0], width=shapes["down1"][0])

    @block
    def mask(self, shape):
        return layer(Down, channels=shape[0], width=GROUPS, kernel=1, stride=1)

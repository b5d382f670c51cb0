"""The embedded default: a small elastic MobileNetV3-style network for 28x28 grey images.

Kernel, expansion, depth and width are elastic: 1.8e9 distinct sub-networks between 0.46 and 6.15 million MACs. Its
weights ship with the package, so a first search needs no download and no GPU.
"""

from __future__ import annotations

from ..families.stages import Blocks, Stage
from ..layers.spec import LayerSpec
from ..space.slot import Slot
from ..space.space import SearchSpace

STEM_CHANNELS = 16
CLASSES = 10
STAGES = (
    Stage((8, 16), (1, 2), stride=1, activation="relu", squeeze=False),
    Stage((16, 24, 32), (1, 2, 3, 4), stride=2, activation="relu", squeeze=False),
    Stage((32, 48, 64), (1, 2, 3, 4), stride=2, activation="hswish", squeeze=True),
)


def build() -> SearchSpace:
    """Build the space; it has no options."""
    blocks = Blocks(kernels=(3, 5), expands=(2, 3, 4))
    choices = blocks.choices(STAGES)

    def head(width: int) -> LayerSpec:
        return LayerSpec.of("head", (width, 4, 4), final_channels=256, mix_channels=0, classes=CLASSES)

    stem = LayerSpec.of("stem", (1, 28, 28), kernel=3, stride=2, out_channels=STEM_CHANNELS, activation="hswish")
    return SearchSpace(
        name="fashion_mnist",
        task="fashion_mnist",
        input_shape=(1, 28, 28),
        choices=choices,
        slots=(
            Slot("stem", (), (), (stem,)),
            *blocks.slots(STAGES, choices, (STEM_CHANNELS, 14, 14)),
            Slot.tabulate("head", choices, ["width.3"], head),
        ),
    )

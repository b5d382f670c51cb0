"""Once-for-All's MobileNetV3 super-network (arXiv 1908.09791): elastic kernel, expansion and depth.

Genes stand in the order of the published search logs: 20 kernels, 20 expansions, 5 depths. Parameters and MACs agree
with the published figures to the last digit (benchmarks/ofa_reference.py).
"""

from __future__ import annotations

from ..errors import UnknownSpace
from ..families.options import IMAGENET, check_classes, check_resolution
from ..families.stages import Blocks, Stage, divisible
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Slot
from ..space.space import SearchSpace

WIDTHS = (1.0, 1.2)
DEFAULTS: dict[str, object] = {"width": 1.0, "resolution": 224, "classes": IMAGENET}

#         out  stride activation squeeze
STAGES = (
    (24, 2, "relu", False),
    (40, 2, "relu", True),
    (80, 2, "hswish", False),
    (112, 1, "hswish", True),
    (160, 2, "hswish", True),
)


def build(width: float = 1.0, resolution: int = 224, classes: int = IMAGENET) -> SearchSpace:
    """Build the space at `width` 1.0 or 1.2, a square input of 128 to 224 pixels in steps of 4, for so many classes.

    Raises UnknownSpace for other values.
    """
    if width not in WIDTHS:
        raise UnknownSpace(f"ofa_mobilenetv3 has no width {width}; published are {WIDTHS}")
    check_resolution("ofa_mobilenetv3", resolution)
    check_classes("ofa_mobilenetv3", classes)
    stages = tuple(
        Stage((divisible(out * width),), (2, 3, 4), stride, activation, squeeze)
        for out, stride, activation, squeeze in STAGES
    )
    blocks = Blocks(kernels=(3, 5, 7), expands=(3, 4, 6))
    choices = blocks.choices(stages)
    first = divisible(16 * width)
    size = -(-resolution // 2)
    stem = LayerSpec.of(
        "stem", (3, resolution, resolution), kernel=3, stride=2, out_channels=first, activation="hswish"
    )
    first_block = LayerSpec.of(
        "mbconv",
        (first, size, size),
        kernel=3,
        stride=1,
        mid_channels=first,
        out_channels=first,
        activation="relu",
        se_channels=0,
        residual=1,
    )
    last = -(-resolution // 32)
    head = LayerSpec.of(
        "head",
        (divisible(160 * width), last, last),
        final_channels=divisible(960 * width),
        mix_channels=divisible(1280 * width),
        classes=classes,
    )
    return SearchSpace(
        name=full_name("ofa_mobilenetv3", DEFAULTS, {"width": width, "resolution": resolution, "classes": classes}),
        task="imagenet",
        input_shape=(3, resolution, resolution),
        choices=choices,
        slots=(
            Slot("stem", (), (), (stem,)),
            Slot("block0", (), (), (first_block,)),
            *blocks.slots(stages, choices, (first, size, size)),
            Slot("head", (), (), (head,)),
        ),
    )

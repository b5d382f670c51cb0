"""Once-for-All's ProxylessNAS super-network (arXiv 1908.09791, 1812.00332): elastic kernel, expansion and depth.

Genes stand in the order kernels, expansions, depths. The sixth stage is one block, whose kernel and expansion are
elastic too; so there are 21 kernels and 21 expansions for 5 depths. Published gene lists of 20 and 20 leave that
block at its largest setting, kernel 7 and expansion 6.
"""

from __future__ import annotations

from ..errors import UnknownSpace
from ..families.options import IMAGENET, check_classes, check_resolution
from ..families.stages import Blocks, Stage, divisible
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Slot
from ..space.space import SearchSpace

WIDTHS = (1.3,)
DEFAULTS: dict[str, object] = {"width": 1.3, "resolution": 224, "classes": IMAGENET}

#         out  depths   stride
STAGES = (
    (24, (2, 3, 4), 2),
    (40, (2, 3, 4), 2),
    (80, (2, 3, 4), 2),
    (96, (2, 3, 4), 1),
    (192, (2, 3, 4), 2),
    (320, (1,), 1),
)


def build(width: float = 1.3, resolution: int = 224, classes: int = IMAGENET) -> SearchSpace:
    """Build the space at `width` 1.3, the one that was trained, for a square input of 128 to 224 pixels by fours.

    Raises UnknownSpace for other values.
    """
    if width not in WIDTHS:
        raise UnknownSpace(f"ofa_proxyless has no width {width}; published are {WIDTHS}")
    check_resolution("ofa_proxyless", resolution)
    check_classes("ofa_proxyless", classes)
    stages = tuple(
        Stage((divisible(out * width),), depths, stride, activation="relu6", squeeze=False)
        for out, depths, stride in STAGES
    )
    blocks = Blocks(kernels=(3, 5, 7), expands=(3, 4, 6))
    choices = blocks.choices(stages)
    stem_channels, first = divisible(32 * width), divisible(16 * width)
    size, last = -(-resolution // 2), -(-resolution // 32)
    stem = LayerSpec.of(
        "stem", (3, resolution, resolution), kernel=3, stride=2, out_channels=stem_channels, activation="relu6"
    )
    first_block = LayerSpec.of(
        "mbconv",
        (stem_channels, size, size),
        kernel=3,
        stride=1,
        mid_channels=stem_channels,
        out_channels=first,
        activation="relu6",
        se_channels=0,
        residual=0,
    )
    classifier = LayerSpec.of(
        "classifier",
        (stages[-1].widths[0], last, last),
        mix_channels=divisible(1280 * width),
        activation="relu6",
        classes=classes,
    )
    return SearchSpace(
        name=full_name("ofa_proxyless", DEFAULTS, {"width": width, "resolution": resolution, "classes": classes}),
        task="imagenet",
        input_shape=(3, resolution, resolution),
        choices=choices,
        slots=(
            Slot("stem", (), (), (stem,)),
            Slot("block0", (), (), (first_block,)),
            *blocks.slots(stages, choices, (first, size, size)),
            Slot("classifier", (), (), (classifier,)),
        ),
    )

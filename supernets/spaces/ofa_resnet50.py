"""Once-for-All's ResNet50-D super-network (arXiv 1908.09791, 1812.01187): elastic depth, bottleneck and width.

Genes stand in the order of the published gene lists: 5 depths, 18 expansions, 6 widths. Depths count what is added:
the first the stem's residual convolution, which runs at 2 alone, the others blocks to the stages' 2, 2, 4 and 2.
The first two widths are the stem's, inside it and at its end. Where rounding makes two options the same layers
(the stem's depths 0 and 1, and its inner widths 0.65 and 0.8) they count as one.
"""

from __future__ import annotations

from ..families.options import IMAGENET, check_classes, check_resolution
from ..families.stages import divisible
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Choice, Slot
from ..space.space import SearchSpace

DEPTHS = (0, 1, 2)
EXPANDS = (0.2, 0.25, 0.35)
WIDTHS = (0.65, 0.8, 1.0)
STEM_CHANNELS = 64
DEFAULTS: dict[str, object] = {"resolution": 224, "classes": IMAGENET}

#         out  fewest blocks  stride
STAGES = (
    (256, 2, 1),
    (512, 2, 2),
    (1024, 4, 2),
    (2048, 2, 2),
)
BLOCKS = tuple(
    f"{stage}.{block}" for stage, (_, fewest, _) in enumerate(STAGES, 1) for block in range(1, fewest + DEPTHS[-1] + 1)
)
CHOICES = (
    Choice("depth.stem", DEPTHS),
    *(Choice(f"depth.{stage + 1}", DEPTHS) for stage in range(len(STAGES))),
    *(Choice(f"expand.{name}", EXPANDS) for name in BLOCKS),
    Choice("width.stem.inside", WIDTHS),
    Choice("width.stem", WIDTHS),
    *(Choice(f"width.{stage + 1}", WIDTHS) for stage in range(len(STAGES))),
)


def build(resolution: int = 224, classes: int = IMAGENET) -> SearchSpace:
    """Build the space for a square input of 128 to 224 pixels in steps of 4; raises UnknownSpace for others."""
    check_resolution("ofa_resnet50", resolution)
    check_classes("ofa_resnet50", classes)

    def stem(depth: int, inside: float, width: float) -> LayerSpec:
        return LayerSpec.of(
            "deep_stem",
            (3, resolution, resolution),
            mid_channels=divisible(divisible(STEM_CHANNELS * inside) // 2),
            out_channels=divisible(STEM_CHANNELS * width),
            activation="relu",
            residual=int(depth == DEPTHS[-1]),
        )

    last = -(-resolution // 32)

    def classifier(width: float) -> LayerSpec:
        return LayerSpec.of(
            "classifier", (divisible(STAGES[-1][0] * width), last, last), mix_channels=0, classes=classes
        )

    return SearchSpace(
        name=full_name("ofa_resnet50", DEFAULTS, {"resolution": resolution, "classes": classes}),
        task="imagenet",
        input_shape=(3, resolution, resolution),
        choices=CHOICES,
        slots=(
            Slot.tabulate("stem", CHOICES, ["depth.stem", "width.stem.inside", "width.stem"], stem),
            *(block_slot(name, resolution) for name in BLOCKS),
            Slot.tabulate("classifier", CHOICES, [f"width.{len(STAGES)}"], classifier),
        ),
    )


def block_slot(name: str, resolution: int) -> Slot:
    """Return the slot of block `name`, "stage.position": the first of a stage takes the width of what is before it."""
    stage, position = map(int, name.split("."))
    out, fewest, stride = STAGES[stage - 1]
    first = position == 1
    entering, before = (STAGES[stage - 2][0], f"width.{stage - 1}") if stage > 1 else (STEM_CHANNELS, "width.stem")
    size = -(-resolution // (4 * 2 ** max(0, stage - 2 if first else stage - 1)))

    def layer(expand: float, depth: int, width: float, width_before: float = 0.0) -> LayerSpec | None:
        if position > fewest + depth:
            return None
        channels = divisible(out * width)
        return LayerSpec.of(
            "bottleneck",
            (divisible(entering * width_before) if first else channels, size, size),
            kernel=3,
            stride=stride if first else 1,
            mid_channels=divisible(round(channels * expand)),
            out_channels=channels,
            activation="relu",
        )

    genes = [f"expand.{name}", f"depth.{stage}", f"width.{stage}", *([before] if first else [])]
    return Slot.tabulate(f"block{name}", CHOICES, genes, layer)

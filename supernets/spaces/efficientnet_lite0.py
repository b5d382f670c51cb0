"""EfficientNet-Lite0 (arXiv 1905.11946; the Lite variants have no squeeze-excite, ReLU6, and a fixed stem and head)
made elastic: the published network is the largest sub-network, so training starts from its weights.

Kernels of 5 may shrink to 3, expansions of 6 to 4 and 3, and stages may drop their last blocks. Convolutions pad as
TensorFlow does, for that is how the parent was trained. On images of another data set the classifier is new:
`efficientnet_lite0:classes=10` is trained from class folders by `gnomon train --from` the parent's file.
"""

from __future__ import annotations

from ..errors import UnknownSpace
from ..families.options import IMAGENET, check_classes
from ..families.stages import Blocks, Stage
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Slot
from ..space.space import SearchSpace

STEM, FIRST, HEAD = 32, 16, 1280
PADDING = "same_upper"

#         out  depths     stride kernels
STAGES = (
    (24, (1, 2), 2, (3,)),
    (40, (1, 2), 2, (3, 5)),
    (80, (1, 2, 3), 2, (3,)),
    (112, (1, 2, 3), 1, (3, 5)),
    (192, (2, 3, 4), 2, (3, 5)),
    (320, (1,), 1, (3,)),
)
DEFAULTS: dict[str, object] = {"classes": IMAGENET, "resolution": 224}


def build(classes: int = IMAGENET, resolution: int = 224) -> SearchSpace:
    """Build the space for so many classes and a square input of 32 to 320 pixels in steps of 32.

    Raises UnknownSpace for other values.
    """
    check_classes("efficientnet_lite0", classes)
    if resolution not in range(32, 321, 32):
        raise UnknownSpace(f"efficientnet_lite0 has no resolution {resolution}; it takes 32 to 320 in steps of 32")
    stages = tuple(
        Stage((out,), depths, stride, "relu6", squeeze=False, kernels=kernels, padding=PADDING)
        for out, depths, stride, kernels in STAGES
    )
    blocks = Blocks(kernels=(3,), expands=(3, 4, 6))
    choices, size, last = blocks.choices(stages), resolution // 2, resolution // 32
    image = (3, resolution, resolution)
    stem = LayerSpec.of("stem", image, kernel=3, stride=2, out_channels=STEM, activation="relu6", padding=PADDING)
    first_block = LayerSpec.of(
        "mbconv",
        (STEM, size, size),
        kernel=3,
        stride=1,
        mid_channels=STEM,
        out_channels=FIRST,
        activation="relu6",
        se_channels=0,
        residual=0,
        padding=PADDING,
    )
    classifier = LayerSpec.of(
        "classifier", (STAGES[-1][0], last, last), mix_channels=HEAD, activation="relu6", classes=classes
    )
    return SearchSpace(
        name=full_name("efficientnet_lite0", DEFAULTS, {"classes": classes, "resolution": resolution}),
        task="image_folder_half",
        input_shape=image,
        choices=choices,
        slots=(
            Slot("stem", (), (), (stem,)),
            Slot("block0", (), (), (first_block,)),
            *blocks.slots(stages, choices, (FIRST, size, size)),
            Slot("classifier", (), (), (classifier,)),
        ),
    )

"""Once-for-All's ResNet50-D super-network."""

from __future__ import annotations

from ..ofa import STATISTICS_PIXELS, bottleneck_block, naming
from ..published import Published, PublishedFile

FILE = "ofa_resnet50_d0-1-2_e0.2-0.25-0.35_w0.65-0.8-1.0"
ADDRESS = "https://media.githubusercontent.com/media/han-cai/files/master/ofa/ofa_nets/"  # it was elsewhere before
PARTS = {
    "input_stem.0": "stem.steps.first",
    "input_stem.1": "stem.steps.residual.body.steps.middle",
    "input_stem.2": "stem.steps.last",
    "classifier": "classifier.steps.classifier",
}
PUBLISHED = Published(
    files=(PublishedFile("ofa_resnet50", FILE, ADDRESS + FILE),),
    our_name=naming(PARTS, bottleneck_block((4, 4, 6, 4))),
    statistics_pixels=STATISTICS_PIXELS,
)

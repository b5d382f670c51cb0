"""Once-for-All's MobileNetV3 super-networks, at width 1.0 and 1.2."""

from __future__ import annotations

from ..ofa import ADDRESS, STATISTICS_PIXELS, mbconv_block, naming
from ..published import Published, PublishedFile

FILES = (
    ("ofa_mobilenetv3", "ofa_mbv3_d234_e346_k357_w1.0"),
    ("ofa_mobilenetv3:width=1.2", "ofa_mbv3_d234_e346_k357_w1.2"),
)
PARTS = {
    "first_conv": "stem.steps.conv",
    "final_expand_layer": "head.steps.final",
    "feature_mix_layer": "head.steps.mix",
    "classifier": "head.steps.classifier",
}
PUBLISHED = Published(
    files=tuple(PublishedFile(space, name, ADDRESS + name) for space, name in FILES),
    our_name=naming(PARTS, mbconv_block(first_is_residual=True)),
    statistics_pixels=STATISTICS_PIXELS,
)

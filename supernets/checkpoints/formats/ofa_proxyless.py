"""Once-for-All's ProxylessNAS super-network, at width 1.3. Its batch norm was trained with an epsilon of 1e-3."""

from __future__ import annotations

from ..ofa import ADDRESS, STATISTICS_PIXELS, mbconv_block, naming
from ..published import Published, PublishedFile

FILE = "ofa_proxyless_d234_e346_k357_w1.3"
PARTS = {
    "first_conv": "stem.steps.conv",
    "feature_mix_layer": "classifier.steps.mix",
    "classifier": "classifier.steps.classifier",
}
PUBLISHED = Published(
    files=(PublishedFile("ofa_proxyless", FILE, ADDRESS + FILE),),
    our_name=naming(PARTS, mbconv_block(first_is_residual=False)),
    epsilon=1e-3,
    statistics_pixels=STATISTICS_PIXELS,
)

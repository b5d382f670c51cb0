"""A third party's space of two parts: an encoder, and a decoder's step that is fed back; and layer kinds of its own."""

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.space.slot import Part

TOKENS, WIDTH, VOCABULARY, STEPS = 5, 8, 11, 6


@dataclass(frozen=True)
class Operation:
    """What an operation without torch has to know."""

    name: str
    arrays: tuple[tuple[int, ...], ...]
    width: int
    input_dtype: ClassVar[str] = "float32"

    @property
    def params(self):
        return sum(math.prod(shape) for shape in self.arrays)

    def macs(self, shape):
        return shape[0] * self.params

    def weight_shapes(self):
        return {f"{self.name}.{position}": shape for position, shape in enumerate(self.arrays)}

    def output_shape(self, shape):
        return (shape[0], self.width)


class Remember(Operation):
    """Gives the encoder's output to later parts, as `memory`."""

    def emit(self, graph, x):
        y = graph.node("Identity", [x])
        graph.output("memory", y, (TOKENS, WIDTH))
        return y


class Recur(Operation):
    """Two maps of the token, the mean of the memory and what this layer said a step ago."""

    def emit(self, graph, x):
        name = f"state{graph.numbered('state')}"
        memory, state = graph.side("memory", (TOKENS, WIDTH)), graph.side(name, (1, WIDTH))
        y = graph.node("Add", [x, graph.node("ReduceMean", [memory], axes=[1], keepdims=1)])
        for weight, shape in self.weight_shapes().items():
            y = graph.node("Tanh", [graph.node("MatMul", [y, graph.weight(weight, shape)])])
        y = graph.node("Add", [y, graph.node("Mul", [state, graph.constant(0.5)])])
        graph.output(f"{name}.next", y, (1, WIDTH))
        return y


class Choose(Operation):
    """Scores of the next token, and the best as the next step's input."""

    def emit(self, graph, x):
        ((weight, shape),) = self.weight_shapes().items()
        scores = graph.node("MatMul", [x, graph.weight(weight, shape)])
        graph.output("input.next", graph.node("ArgMax", [scores], axis=2, keepdims=0), (1,), "int64")
        return scores


KINDS = {
    "pairs_remember": lambda spec: (Remember("remember", (), WIDTH),),
    "pairs_recur": lambda spec: (
        Recur("recur", ((WIDTH, spec.integer("hidden")), (spec.integer("hidden"), WIDTH)), WIDTH),
    ),
    "pairs_choose": lambda spec: (Choose("choose", ((WIDTH, VOCABULARY),), VOCABULARY),),
}


def install_kinds(monkeypatch, registry):
    """Make the layer kinds known to Gnomon, as entry points of group gnomon.layers would."""
    modules, known = {name: SimpleNamespace(operations=make) for name, make in KINDS.items()}, registry.kind_module
    monkeypatch.setattr(registry, "kind_module", lambda kind: modules.get(kind) or known(kind))


def embedding(tokens):
    return LayerSpec.of(
        "token_embedding", (tokens,), vocabulary=VOCABULARY, width=WIDTH, limit=0, types=0, scaled=1, padding=0, norm=0
    )


def build(steps=STEPS):
    choices = (Choice("ffn", (16, 64)), Choice("encoder_depth", (1, 2)))
    choices += (Choice("hidden", (16, 64)), Choice("decoder_depth", (1, 2)))

    def encoder(position):
        def layer(ffn, depth):
            if position > depth:
                return None
            return LayerSpec.of(
                "encoder_layer", (TOKENS, WIDTH), heads=2, head_dim=4, ffn=ffn, activation="relu", norm="post",
                epsilon_exponent=5, masked=1,
            )  # fmt: skip

        return Slot.tabulate(f"encoder.{position}", choices, ["ffn", "encoder_depth"], layer)

    def decoder(position):
        def layer(hidden, depth):
            return None if position > depth else LayerSpec.of("pairs_recur", (1, WIDTH), hidden=hidden)

        return Slot.tabulate(f"decoder.{position}", choices, ["hidden", "decoder_depth"], layer, part=1)

    slots = [Slot("source", (), (), (embedding(TOKENS),)), encoder(1), encoder(2)]
    slots += [Slot("memory", (), (), (LayerSpec.of("pairs_remember", (TOKENS, WIDTH)),))]
    slots += [Slot("target", (), (), (embedding(1),), 1), decoder(1), decoder(2)]
    slots += [Slot("choice", (), (), (LayerSpec.of("pairs_choose", (1, WIDTH)),), 1)]
    parts = (Part("encoder"), Part("decoder_step", steps))
    name = "pairs" if steps == STEPS else f"pairs:steps={steps}"
    return SearchSpace(name, "none", (TOKENS,), choices, tuple(slots), parts)

"""The last layer of a transformer that classifies: normalise (or not), pool, classify."""

from __future__ import annotations

from ..operations import Linear, Operation
from ..sequences import FirstToken, MaskedMean
from ..spec import LayerSpec
from ..transformer import LayerNorm


def operations(spec: LayerSpec) -> tuple[Operation, ...]:
    """Read pool (first or mean), classes and norm (0 or 1), the last with epsilon_exponent."""
    tokens, width = spec.input_shape
    steps: list[Operation] = []
    if spec.integer("norm"):
        steps.append(LayerNorm("norm", width, spec.integer("epsilon_exponent")))
    steps.append(MaskedMean(tokens) if spec.text("pool") == "mean" else FirstToken())
    return (*steps, Linear("classifier", width, spec.integer("classes")))

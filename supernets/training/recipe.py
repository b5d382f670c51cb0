"""Recipes: everything that decides trained weights besides the training data. Plain values, compared on resume.

Progressive shrinking (arXiv 1908.09791) is a sequence of phases, each of which lets more families of genes vary. A
family is what stands before a dot of a gene's name: "kernel" is kernel.1.1, kernel.1.2, ...
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import SupernetError
from ..space.space import SearchSpace

ALL = ("all",)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of training with a learning-rate cycle of its own (warm restarts, arXiv 1608.03983).

    `elastic` names the families of genes that vary; the others stay at their last, largest option. With none, the
    largest sub-network trains alone. `warmup` is the share of the phase in which the learning rate rises.
    `augmentation` is read by the training data; without a setting nothing of the kind is done.
    """

    epochs: int
    learning_rate: float
    warmup: float = 0.1
    elastic: tuple[str, ...] = ALL
    augmentation: Mapping[str, float] = field(default_factory=dict)

    def setting(self, name: str, default: float = 0) -> float:
        """Return an augmentation setting."""
        return self.augmentation.get(name, default)

    def rate_at(self, progress: float) -> float:
        """Return the learning rate at `progress` (0..1) of the phase: a linear rise, then half a cosine to zero."""
        return self.learning_rate * schedule(progress, self.warmup)

    def elastic_genes(self, space: SearchSpace) -> NDArray[np.bool_]:
        """Tell which genes of `space` vary, (d,); raises SupernetError for a family that it does not have."""
        names = [choice.name for choice in space.choices]
        chosen = np.full(len(names), self.elastic == ALL)
        for family in () if self.elastic == ALL else self.elastic:
            members = [name == family or name.startswith(f"{family}.") for name in names]
            if not any(members):
                known = ", ".join(dict.fromkeys(name.partition(".")[0] for name in names))
                raise SupernetError(f"no gene of {space.name} belongs to family {family!r}; its families: {known}")
            chosen |= np.array(members)
        return chosen


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a super-network is trained, by AdamW.

    `random_subnets` is how many sub-networks a step trains besides the largest and the smallest; the gradients' norm
    is clipped at `clip`; `ema_decay` is that of the average over steps, which is what is kept. `rate_factors` slows
    (or, at 0, freezes) parameters whose names contain a text, the first that fits counting. `bfloat16` computes in
    that precision where torch deems it safe and the processor multiplies in it; weights stay float32. `float16_file`
    stores them in 16 bits in the end.
    """

    phases: tuple[Phase, ...]
    batch: int = 256
    weight_decay: float = 0.02
    betas: tuple[float, float] = (0.9, 0.999)
    random_subnets: int = 2
    ema_decay: float = 0.998
    clip: float = 5.0
    seed: int = 1
    bfloat16: bool = False
    float16_file: bool = False
    rate_factors: Mapping[str, float] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)

    def phase_at(self, epoch: int) -> tuple[Phase, int]:
        """Return the phase that an epoch belongs to, and the epoch's number in it."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase, epoch
            epoch -= phase.epochs
        raise ValueError(f"the recipe has {self.epochs} epochs, there is none {epoch} later")


def schedule(progress: float, warmup: float) -> float:
    """Return the factor on the learning rate: a linear rise, then half a cosine to zero."""
    if progress < warmup:
        return progress / warmup
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

"""How architectures are bred from ones whose values are known, and which algorithm suits which search.

An algorithm is told generations and asked for children; it never evaluates. What it answers depends on what it was
told, in that order, on its setting and on the `rng` of the question: so a tactic replays the generations of a run and
is where it was. New algorithms are modules of `algorithms/` or entry points of group gnomon.algorithms:
`build() -> Algorithm`. Wrong combinations are refused; nothing is replaced silently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ...supernets.errors import PluginBroken
from ...supernets.plugins import Registry
from ...supernets.space.space import Indices, SearchSpace
from ..config import SearchConfig
from ..errors import InvalidConfig, UnknownName
from ..problem.objective import Values

CROSSOVER = 0.9
AUTO = {1: "ga", 2: "nsga2"}  # by number of objectives; benchmarks/algorithms.py says why
AUTO_BEYOND = "smsemoa"


@dataclass(frozen=True, slots=True)
class Takes:
    """What an algorithm can be used for: `fewest` to `most` objectives (None: any number), constraints or none."""

    fewest: int
    most: int | None = None
    constraints: bool = True

    def __str__(self) -> str:
        if self.fewest == self.most:
            count = "one objective" if self.fewest == 1 else f"exactly {self.fewest} objectives"
        elif self.most is None:
            count = f"{'one' if self.fewest == 1 else 'two' if self.fewest == 2 else self.fewest} or more objectives"
        else:
            count = f"{self.fewest} to {self.most} objectives"
        return count if self.constraints else f"{count}, and neither constraints nor a region"

    def suits(self, objectives: int, *, constrained: bool) -> bool:
        """Tell whether a search of so many objectives is one."""
        enough = self.fewest <= objectives and (self.most is None or objectives <= self.most)
        return enough and (self.constraints or not constrained)


@dataclass(frozen=True)
class Setting:
    """What an algorithm starts with: rates are crossover a pair and mutation a gene (1/d by default)."""

    space: SearchSpace
    objectives: int
    population: int
    crossover: float = CROSSOVER
    mutation: float | None = None
    seed: int = 0

    @property
    def gene_rate(self) -> float:
        """Mutation rate a gene."""
        return 1.0 / len(self.space.choices) if self.mutation is None else self.mutation


class Evolution(Protocol):
    """An algorithm at work."""

    def tell(self, rows: Indices, costs: Values, violations: Values) -> None:
        """Let (n, d) distinct canonical rows compete with what was told before.

        `costs` (n, m) are minimised; `violations` (n,) are 0 where constraints hold, and such rows win over all others.
        Any rows may be told, also ones that were not asked for, and any number of them.
        """

    def ask(self, n: int, rng: np.random.Generator) -> Indices:
        """Return up to `n` distinct canonical children that were never told, (k, d); asking changes nothing."""


class Algorithm(Protocol):
    """A way to breed."""

    @property
    def takes(self) -> Takes:
        """What it can be used for."""

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""


ALGORITHMS: Registry[Callable[[], Algorithm]] = Registry(
    "algorithm", "search/evolution/algorithms", UnknownName.of, "gnomon.algorithms", attribute="build"
)


def algorithm_name(config: SearchConfig) -> str:
    """Return the algorithm that a search uses: its own, or what `auto` means for its number of objectives."""
    return AUTO.get(len(config.objectives), AUTO_BEYOND) if config.algorithm == "auto" else config.algorithm


def algorithm_of(config: SearchConfig) -> Algorithm:
    """Build the algorithm of a search; raises UnknownName, and InvalidConfig for one that does not suit it."""
    name = algorithm_name(config)
    with ALGORITHMS.blaming(name):
        algorithm = ALGORITHMS.load(name)()
    objectives, constrained = len(config.objectives), bool(config.constraints or config.region)
    if not algorithm.takes.suits(objectives, constrained=constrained):
        suiting = [other for other in ALGORITHMS.names() if suits(other, objectives, constrained=constrained)]
        bounds = ", ".join([*config.constraints, *config.region])
        raise InvalidConfig(
            f"algorithm={name!r} takes {algorithm.takes}; this search has {objectives} "
            f"({', '.join(config.objectives)}){' and ' + bounds if bounds else ''}; "
            f"choose one of {', '.join(['auto', *suiting])}",
            field="algorithm",
        )
    return algorithm


def suits(name: str, objectives: int, *, constrained: bool) -> bool:
    """Tell whether the algorithm called `name` is one for such a search; a broken one is none."""
    try:
        with ALGORITHMS.blaming(name):
            return ALGORITHMS.load(name)().takes.suits(objectives, constrained=constrained)
    except PluginBroken:
        return False

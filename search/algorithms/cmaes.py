"""CMA-ES for one objective: a normal distribution over real numbers, read as genes (Hansen 2016, arXiv 1604.00772).

Points are rounded to the nearest option, clipped, made canonical, and told back as the genes they became, in order of
violation and then cost, so that constraints come first. No gene's deviation falls below a share of an option's width,
or it would never change again. An order of the options that means nothing is used all the same. pymoo's wrapper of the
package `cma` is not used: it cannot be told what was measured elsewhere. `cma` draws from numpy's global generator,
which is seeded here and put back.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ...supernets.space import Indices
from ..algorithm import Evolution, Setting, Takes
from ..archive import first_occurrences, key_of
from ..objective import Values

HALF = 0.499  # of an option's width, on each side of it
SPREAD = 0.3  # initial deviation, as a share of a gene's range
NARROWEST = 0.2  # deviation, in options
DRAWS = 20  # times that a population is drawn again when all were known


@dataclass(frozen=True)
class CovarianceAdaptation:
    """Starts at the best of the first generation."""

    takes: ClassVar[Takes] = Takes(1, 1)

    def start(self, setting: Setting) -> Evolution:
        """Begin with nothing known."""
        return Normal(setting)


class Normal:
    """The distribution over the genes that have a choice."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.free = np.flatnonzero(setting.space.radices > 1)
        self.known: set[bytes] = set()
        self.told = 0
        self.strategy: Any = None

    def tell(self, rows: Indices, costs: Values, broken: Values) -> None:
        """Move the distribution towards the better half of (n, d) rows; the first generation places it."""
        self.known.update(key_of(row) for row in rows)
        order = np.lexsort((costs[:, 0], broken))
        self.told += 1
        with seeded(self.setting.seed + self.told):
            if self.strategy is None:
                self.strategy = self._placed(rows[order[0]])
            elif len(rows) >= self.strategy.sp.weights.mu:
                points = [row.astype(np.float64) for row in rows[order][:, self.free]]
                self.strategy.ask(1)  # opens an iteration, as `tell` demands
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # generations need not be as large as the population
                    self.strategy.tell(points, list(range(len(points))))

    def ask(self, n: int, rng: np.random.Generator) -> Indices:
        """Draw up to `n` unseen architectures, (k, d)."""
        found = np.empty((0, len(self.setting.space.choices)), dtype=np.int64)
        strategy = deepcopy(self.strategy)  # asking leaves traces
        with seeded(int(rng.integers(2**31))):
            for _ in range(DRAWS):
                if len(found) >= n:
                    break
                points = np.array(strategy.ask(max(2, n)))
                genes = np.zeros((len(points), found.shape[1]), dtype=np.int64)
                genes[:, self.free] = np.clip(np.rint(points), 0, self.setting.space.radices[self.free] - 1)
                drawn = np.concatenate([found, self.setting.space.canonical(genes)])
                found = drawn[first_occurrences(drawn, frozenset(self.known))]
        return found[:n]

    def _placed(self, best: Indices) -> Any:
        from cma import CMAEvolutionStrategy

        options = self.setting.space.radices[self.free]
        return CMAEvolutionStrategy(
            best[self.free].astype(np.float64),
            1.0,
            {
                "bounds": [np.full(len(options), -HALF), options - 1 + HALF],
                "CMA_stds": SPREAD * (options - 1.0),
                "minstd": NARROWEST,
                "popsize": max(4, self.setting.population),
                "seed": np.nan,  # leave the generator as `seeded` left it
                "verbose": -9,
                "verb_log": 0,
            },
        )


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed numpy's global generator for a while, and put it back."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def build() -> CovarianceAdaptation:
    """Build the algorithm."""
    return CovarianceAdaptation()

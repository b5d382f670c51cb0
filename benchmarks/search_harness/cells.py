"""Cells like those of NAS-Bench-201: six edges, each with one of five operations that have no order.

The top-1 is made up, not looked up. A cell adds up what its four paths from input to output carry; an edge of `none`
cuts its paths, convolutions do the work, and what many paths bring saturates: edges interact, and a position among
the operations says nothing. Every network adds a fixed error of its own of 0.3 points, as trainings do; validations on
all 10,000 images have no noise, on a share what `images` says. The price is in units of a 1x1 convolution. Hypervolume
counts from 60 % and the price of six 3x3 convolutions, and the best known is the true front's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gnomon.search import hypervolume
from gnomon.search.archive import every_architecture
from gnomon.search.problem.objective import Values
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.space.space import Indices
from search_harness.images import Images, normal_draws
from search_harness.landscape import DIRECTIONS

EDGES = ("0-1", "0-2", "1-2", "0-3", "1-3", "2-3")
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))  # from input to output, as positions of edges
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
CARRIED = np.array([0.0, 1.0, 1.0, 1.0, 0.8])
WORK = np.array([0.0, 0.0, 0.6, 1.0, -0.1])
COST = np.array([0.1, 0.1, 1.0, 9.0, 0.3])
MOST_TOP1, BROKEN_TOP1, SPREAD, WORST_TOP1 = 94.5, 10.0, 25.0, 60.0
OWN_ERROR = 0.3
IMAGES = Images(number=10_000, disagreement=0.08, accuracy=0.90)


@dataclass(frozen=True)
class Cells:
    """`path` is not read: the landscape needs no file."""

    path: Path | None = None
    name: str = "cells"
    price_name: str = "price"
    price_unit: str = "1x1 convolutions"
    population: int = 10
    inner_evaluations: int = 2_000
    best_is_fixed: bool = True

    @property
    def setting(self) -> str:
        """What validations assume."""
        return f"own error {OWN_ERROR}, {IMAGES.number} images, disagreement {IMAGES.disagreement}"

    @cached_property
    def space(self) -> SearchSpace:
        """Six genes of five operations, all with an effect."""

        def layer(operation: str) -> LayerSpec:
            channels = 1 + OPERATIONS.index(operation)
            return LayerSpec.of("head", (1, 4, 4), final_channels=channels, mix_channels=0, classes=2)

        choices = tuple(Choice(f"edge{edge}", OPERATIONS) for edge in EDGES)
        slots = tuple(Slot.tabulate(choice.name, choices, [choice.name], layer) for choice in choices)
        return SearchSpace("cells", "none", (1, 4, 4), choices, slots)

    @cached_property
    def reference(self) -> tuple[float, float]:
        """60 %, and the price of six 3x3 convolutions."""
        return WORST_TOP1, float(len(EDGES) * COST.max())

    def top1(self, rows: Indices) -> Values:
        """Return the made-up top-1, (n,)."""
        carried = np.stack([CARRIED[rows[:, path]].prod(axis=1) for path in PATHS], axis=1)
        work = np.stack([WORK[rows[:, path]].sum(axis=1) for path in PATHS], axis=1)
        total = np.log(np.maximum((carried * np.exp(work)).sum(axis=1), 1e-12))
        own = np.array([normal_draws(b"cell" + row.tobytes(), 0, 1)[0] for row in rows])
        working = MOST_TOP1 - SPREAD * np.exp(-total) + OWN_ERROR * own
        return np.where(carried.sum(axis=1) > 0, working, BROKEN_TOP1)

    def price(self, rows: Indices) -> Values:
        """Add up the operations' costs, (n,)."""
        return np.asarray(COST[rows].sum(axis=1))

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Return the top-1 and what a share adds, (n,)."""
        return self.top1(rows) + IMAGES.errors(rows, share, seed)

    def best_known(self) -> float:
        """Return the hypervolume of the true front."""
        rows = every_architecture(self.space)
        return hypervolume(np.stack([self.top1(rows), self.price(rows)], axis=1), DIRECTIONS, self.reference)

"""NAS-Bench-Macro as it is: all 6,561 networks, CIFAR-10 top-1 as the mean of three trainings, and FLOPs.

The table is a CSV file with columns arch (eight digits, the option of each layer), top1_percent and flops. It is
taken as exact: a validation on all 10,000 images gives its top-1, on a share of them what `images` says. Hypervolume
counts from the lowest top-1 and the most FLOPs of the table, and the best known is the true front's.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from gnomon.search import hypervolume
from gnomon.search.problem.objective import Values
from gnomon.supernets import Choice, LayerSpec, SearchSpace, Slot
from gnomon.supernets.space.space import Indices
from search_harness.images import Images
from search_harness.landscape import DIRECTIONS

LAYERS, OPTIONS = 8, 3
IMAGES = Images(number=10_000, disagreement=0.08, accuracy=0.90)


@dataclass(frozen=True)
class Macro:
    """`path` is the table."""

    path: Path
    name: str = "macro"
    price_name: str = "flops"
    price_unit: str = "FLOPs"
    population: int = 10
    inner_evaluations: int = 2_000
    best_is_fixed: bool = True

    @property
    def setting(self) -> str:
        """What partial validations assume."""
        return f"no noise, {IMAGES.number} images, disagreement {IMAGES.disagreement}"

    @cached_property
    def space(self) -> SearchSpace:
        """Eight genes of three options, all with an effect."""
        return plain_space("nas_bench_macro", (OPTIONS,) * LAYERS)

    @cached_property
    def reference(self) -> tuple[float, float]:
        """Lowest top-1 and most FLOPs."""
        top1, flops = tables(self.path)
        return float(top1.min()), float(flops.max())

    def top1(self, rows: Indices) -> Values:
        """Look the top-1 up, (n,)."""
        return tables(self.path)[0][positions(rows)]

    def price(self, rows: Indices) -> Values:
        """Look the FLOPs up, (n,)."""
        return tables(self.path)[1][positions(rows)]

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Look the top-1 up and add what a share adds, (n,)."""
        return self.top1(rows) + IMAGES.errors(rows, share, seed)

    def best_known(self) -> float:
        """Return the hypervolume of the true front."""
        return hypervolume(np.stack(tables(self.path), axis=1), DIRECTIONS, self.reference)


def positions(rows: Indices) -> Indices:
    """Return where (n, d) architectures stand in the table, (n,)."""
    return rows @ (OPTIONS ** np.arange(LAYERS)[::-1])


@cache
def tables(path: Path) -> tuple[Values, Values]:
    """Read top-1 and FLOPs, (6561,) each, in order of the genes."""
    read = np.full((2, OPTIONS**LAYERS), np.nan)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            read[:, int(row["arch"], OPTIONS)] = float(row["top1_percent"]), float(row["flops"])
    if np.isnan(read).any():
        raise SystemExit(f"{path} lacks {np.isnan(read[0]).sum()} of the {OPTIONS**LAYERS} networks")
    return read[0], read[1]


def plain_space(name: str, radices: tuple[int, ...]) -> SearchSpace:
    """Build a space in which every option of every gene makes a difference; its layers stand for nothing."""

    def layer(option: int) -> LayerSpec:
        return LayerSpec.of("head", (1, 4, 4), final_channels=option + 1, mix_channels=0, classes=2)

    choices = tuple(Choice(f"gene{n}", tuple(range(radix))) for n, radix in enumerate(radices))
    slots = tuple(Slot.tabulate(choice.name, choices, [choice.name], layer) for choice in choices)
    return SearchSpace(name, "none", (1, 4, 4), choices, slots)

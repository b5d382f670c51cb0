"""What a search is judged on: a space, values known without noise, and validations as they would come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from gnomon.search import hypervolume
from gnomon.search.problem.objective import Direction, Objective, Values
from gnomon.supernets import SearchSpace
from gnomon.supernets.evaluation.deciding import Outcomes
from gnomon.supernets.space.space import Indices

DIRECTIONS: tuple[Direction, ...] = ("max", "min")
EXACT, OWN = "exact prices", "own measurements"  # whether a method may compute latency or FLOPs of any network


class Landscape(Protocol):
    """Top-1 to maximise, and a price to minimise: latency or FLOPs."""

    @property
    def name(self) -> str:
        """Name in results and on the command line."""

    @property
    def setting(self) -> str:
        """All that changes a result, in words: results of another setting are not compared."""

    @property
    def space(self) -> SearchSpace:
        """What is searched."""

    @property
    def price_name(self) -> str:
        """Name of the price as an objective."""

    @property
    def price_unit(self) -> str:
        """Unit of the price."""

    @property
    def reference(self) -> tuple[float, float]:
        """Worst top-1 in percent and worst price: the corner that hypervolume is measured from."""

    @property
    def population(self) -> int:
        """Networks validated a round by methods that work in populations."""

    @property
    def inner_evaluations(self) -> int:
        """Networks predicted a round by methods that search on predictions."""

    @property
    def best_is_fixed(self) -> bool:
        """Whether the best known hypervolume stays as it is once computed."""

    def top1(self, rows: Indices) -> Values:
        """Return the top-1 of (n, d) networks without noise, in percent, (n,)."""

    def price(self, rows: Indices) -> Values:
        """Return the price of (n, d) networks, (n,)."""

    def validated(self, rows: Indices, share: float, seed: int) -> Values:
        """Return the top-1 that (n, d) networks show on a share of the images, (n,): always the same for a seed."""

    def best_known(self) -> float:
        """Return the largest hypervolume that is known to be possible."""


@runtime_checkable
class HasImages(Protocol):
    """A landscape whose validations are made of images, and take processor time; none has to be so."""

    def outcomes(self, row: Indices) -> Outcomes:
        """Return what a network (d) is right about on all images."""

    def estimated(self, row: Indices, share: float, pilots: Sequence[Outcomes]) -> tuple[float, float]:
        """Return a network's top-1 by the share of the images that decides most, and the processor seconds."""

    def seconds(self, row: Indices, share: float) -> float:
        """Return the processor seconds of a validation on random images, or all."""

    @property
    def order_seconds(self) -> float:
        """Processor seconds that a search pays once for making validations in part."""


@dataclass(frozen=True)
class Accuracy(Objective):
    """Top-1 as validated, on all images or on a share of them."""

    landscape: Landscape
    seed: int
    name: str = "accuracy"
    unit: str = "percent"
    direction: Direction = "max"
    costly: bool = True
    divisible: bool = True

    def values(self, indices: Indices) -> Values:
        """Validate (n, d) networks on all images, (n,)."""
        return self.landscape.validated(indices, 1.0, self.seed)

    def values_on(self, indices: Indices, share: float) -> Values:
        """Validate (n, d) networks on a share of the images, (n,)."""
        return self.landscape.validated(indices, share, self.seed)


@dataclass(frozen=True)
class Price(Objective):
    """Latency or FLOPs; where it is costly a method knows it only of networks that it had measured in full."""

    landscape: Landscape
    name: str
    unit: str
    costly: bool
    direction: Direction = "min"

    def values(self, indices: Indices) -> Values:
        """Price (n, d) networks, (n,)."""
        return self.landscape.price(indices)


def objectives_of(landscape: Landscape, variant: str, seed: int) -> tuple[Objective, ...]:
    """Return what is searched: prices count as costly unless the variant is EXACT."""
    price = Price(landscape, landscape.price_name, landscape.price_unit, costly=variant != EXACT)
    return Accuracy(landscape, seed), price


def volume_of(landscape: Landscape, rows: Indices) -> float:
    """Return the hypervolume of the noise-free values of (n, d) networks."""
    return hypervolume(np.stack([landscape.top1(rows), landscape.price(rows)], axis=1), DIRECTIONS, landscape.reference)


def volumes_of(landscape: Landscape, rows: Indices) -> list[float]:
    """Return the hypervolume of the noise-free values after each of (n, d) networks."""
    if len(rows) == 0:
        return []
    values = np.stack([landscape.top1(rows), landscape.price(rows)], axis=1)
    return [hypervolume(values[:n], DIRECTIONS, landscape.reference) for n in range(1, len(values) + 1)]

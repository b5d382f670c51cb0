"""Kernels of another device's profile, scaled to this device by the few of them that were measured on both.

A device that is slower is so by operator: what multiplies by its arithmetic, what passes over values by its memory. So
each sort of kernels (operator, type of numbers, form) has its own ratio, the median of those measured, drawn to the
median of all as far as the scatter within sorts and between them says (empirical Bayes). How far it is off is told by
kernels left out: each is predicted by the ratio of the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..graph.cost import Cost
from ..graph.sorts import sort_of

Array = NDArray[np.float64]

PER_SORT = 6  # kernels of a sort that are measured on the new device, spread from the quickest to the slowest
TYPICAL = 4  # how many kernels the typical error stands for in the doubt of one sort
SIGMA = 1.645  # nine of ten errors keep to so many sigmas
LEAST_LOG_RATIO = 0.01  # what no two measurements of a kernel agree better than


@dataclass(frozen=True)
class SourceKernel:
    """A kernel as another device's profile has it."""

    key: str
    operator: str
    cost: Cost
    value_us: float

    @property
    def sort(self) -> str:
        """What it has in common with kernels that are scaled alike."""
        return sort_of(self.operator, self.key, self.cost)


def designed(source: Mapping[str, SourceKernel], met: Iterable[str]) -> frozenset[str]:
    """Return which of the kernels met on the new device, by digest, to measure there; the others can be scaled.

    Those that the source lacks, and of each sort a few, spread by the time that the source says.
    """
    chosen: set[str] = set()
    sorts: dict[str, list[str]] = {}
    for digest in met:
        if digest in source:
            sorts.setdefault(source[digest].sort, []).append(digest)
        else:
            chosen.add(digest)
    for digests in sorts.values():
        order = sorted(digests, key=lambda digest: (source[digest].value_us, digest))
        places = np.linspace(0, len(order) - 1, min(PER_SORT, len(order))).round().astype(int)
        chosen.update(order[place] for place in places)
    return frozenset(chosen)


@dataclass(frozen=True)
class KernelTransfer:
    """Ratios by sort, from kernels of a source that were measured here too; `measured_us` by digest."""

    source: Mapping[str, SourceKernel]
    measured_us: Mapping[str, float]

    @cached_property
    def log_ratios(self) -> Mapping[str, Mapping[str, float]]:
        """The log of here over there, by sort and digest, of kernels measured on both."""
        found: dict[str, dict[str, float]] = {}
        for digest, us in self.measured_us.items():
            if digest in self.source:
                one = self.source[digest]
                found.setdefault(one.sort, {})[digest] = math.log(us / one.value_us)
        return found

    @cached_property
    def common(self) -> float:
        """The median log ratio of all kernels; 0 without any."""
        return median([ratio for ratios in self.log_ratios.values() for ratio in ratios.values()], 0.0)

    @cached_property
    def lean(self) -> float:
        """How many kernels of a sort the median of all stands for: the scatter within sorts over that between them."""
        several = [np.array([*ratios.values()]) for ratios in self.log_ratios.values() if len(ratios) > 1]
        if len(several) < 2:
            return 1.0
        within = sum(float(np.sum((one - np.median(one)) ** 2)) for one in several) / sum(
            len(one) - 1 for one in several
        )
        middles = np.array([np.median(one) for one in several])
        between = float(np.var(middles, ddof=1)) - within * float(np.mean([1 / len(one) for one in several]))
        return within / between if between > 0 else math.inf

    def log_ratio(self, sort: str, without: str = "") -> float:
        """Return the log ratio of a sort, one kernel left out."""
        known = [ratio for digest, ratio in self.log_ratios.get(sort, {}).items() if digest != without]
        own = 1 / (1 + self.lean / len(known)) if known else 0.0
        return own * median(known, self.common) + (1 - own) * self.common

    @cached_property
    def held_out(self) -> Mapping[str, Mapping[str, float]]:
        """The log error of each kernel measured on both, by sort and digest, when the others of its sort scale it."""
        return {
            sort: {digest: ratio - self.log_ratio(sort, digest) for digest, ratio in ratios.items()}
            for sort, ratios in self.log_ratios.items()
        }

    @cached_property
    def errors(self) -> Array:
        """The absolute log errors of all kernels left out, (n,)."""
        found = [error for errors in self.held_out.values() for error in errors.values()]
        return np.asarray(np.abs(found or [math.inf]))

    def doubt(self, sort: str) -> float:
        """Return what the log error of a scaled kernel keeps to, one sigma: of its sort, drawn to that of all.

        Of few errors it is widened as Student's t is, by the first term of its expansion.
        """
        typical = float(np.quantile(self.errors, 0.9)) / SIGMA
        own = list(self.held_out.get(sort, {}).values())
        freedom = len(own) + TYPICAL
        sigma = math.sqrt((float(np.sum(np.square(own))) + TYPICAL * typical**2) / freedom)
        return max(LEAST_LOG_RATIO, sigma * (1 + (SIGMA**2 + 1) / (4 * freedom)))

    def scaled_us(self, digest: str) -> float:
        """Return the microseconds of a kernel of the source here."""
        one = self.source[digest]
        return one.value_us * math.exp(self.log_ratio(one.sort))

    def sentence(self) -> str:
        """Say by how much kernels were scaled, and how far those left out were off."""
        pairs = sum(map(len, self.log_ratios.values()))
        within = 100 * float(np.mean(self.errors <= math.log(1.1)))
        return (
            f"x{math.exp(self.common):.2f} in the middle of {pairs} kernels measured on both; left out, they are "
            f"{100 * math.expm1(float(np.median(self.errors))):.1f} % off in the middle, {within:.0f} % within 10 %"
        )


def median(values: Iterable[float], otherwise: float) -> float:
    """Return the median of values, or what is said of none."""
    known = list(values)
    return float(np.median(known)) if known else otherwise

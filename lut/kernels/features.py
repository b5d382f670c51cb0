"""What times of kernels are regressed on: quantities of their work, and the rates that these have on a device."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .graph.cost import Cost
from .profile_file.profile import SHORTEST_US

Array = NDArray[np.float64]

QUICKEST = 0.99  # the quantile of rates that no kernel is predicted beyond; the quickest of many is one by chance
GIVEN = re.compile(r"->.*?=[a-z0-9]+\[([\d,]*)\]")


class Keyed(Protocol):
    """A kernel, measured or not."""

    @property
    def key(self) -> str:
        """What it is."""

    @property
    def cost(self) -> Cost:
        """What it computes and moves."""


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A kernel of which no time is known."""

    key: str
    cost: Cost


def ends_of(key: str) -> tuple[int, int]:
    """Return the first and the last size of what a kernel gives: a batch, and a row."""
    found = GIVEN.findall(key)
    sizes = [int(size) for size in found[-1].split(",") if size] if found else []
    return (sizes[0], sizes[-1]) if sizes else (1, 1)


def features_of(kernels: Sequence[Keyed]) -> Array:
    """Return the logs of the quantities of kernels, and of the sizes that their keys tell, (L, d)."""
    rows = [
        [
            math.log1p(cost.macs),
            math.log(cost.moved_bytes + 64),
            math.log(cost.input_bytes + 64),
            math.log(cost.output_bytes + 64),
            math.log(cost.weight_bytes + 64),
            math.log(cost.elements),
            math.log(cost.channels + 1),
            math.log(cost.pixels + 1),
            math.log1p(cost.reduction),
            math.log(cost.groups),
            math.log(cost.window),
            math.log(cost.stride),
            cost.nodes,
            math.log1p(cost.channels % 16),
            math.log(max(1.0, cost.reduction / cost.window)),
            *(math.log(max(1, size)) for size in ends_of(one.key)),
        ]
        for one in kernels
        for cost in (one.cost,)
    ]
    return np.array(rows)


def quantities_of(costs: Sequence[Cost]) -> Array:
    """Return what a time grows with, (L, 3): one, millions of multiply-adds, kilobytes moved."""
    return np.array([[1.0, cost.macs / 1e6, cost.moved_bytes / 1e3] for cost in costs])


def physical_us(costs: Sequence[Cost], rates: Array) -> Array:
    """Return the time that the rates alone give, (L,)."""
    return np.asarray(np.maximum(quantities_of(costs) @ rates, SHORTEST_US))


def quickest_rate(costs: Sequence[Cost], true_us: Array) -> float:
    """Return the multiply-adds a microsecond that hardly any kernel exceeds; infinite where none multiplies."""
    rates = np.array([cost.macs for cost in costs]) / true_us
    return float(np.quantile(rates[rates > 0], QUICKEST)) if (rates > 0).any() else math.inf


def least_us(costs: Sequence[Cost], macs_a_us: float) -> Array:
    """Return what multiplying at a rate takes, (L,); never nothing."""
    return np.maximum(np.array([cost.macs for cost in costs]) / macs_a_us, SHORTEST_US)


def fitted_rates(costs: Sequence[Cost], true_us: Array) -> Array:
    """Return the times of a kernel, a million multiply-adds and a kilobyte, none negative, by relative error.

    A kernel's own time is at most what the shortest of them takes.
    """
    columns = quantities_of(costs) / true_us[:, None]
    best, rates = math.inf, np.array([float(np.median(true_us)), 0.0, 0.0])
    for taken in product((False, True), repeat=3):
        chosen = np.flatnonzero(taken)
        if not len(chosen):
            continue
        solved = np.linalg.lstsq(columns[:, chosen], np.ones(len(true_us)), rcond=None)[0]
        error = float(np.sum((columns[:, chosen] @ solved - 1) ** 2))
        own_us = solved[0] if taken[0] else 0.0
        if (solved >= 0).all() and own_us <= np.min(true_us) and error < best:
            best, rates = error, np.zeros(3)
            rates[chosen] = solved
    return rates

"""What a model takes beyond its kernels, and fits of that to whole models.

An isolated kernel, run in a loop, finds its code, its values and its weights in a cache, as far as they fit, from which
the rest of a model evicts them; a model that fits the cache as a whole evicts nothing, and of one of t MiB the share
1 - (cache / t)^2 is evicted (as `benchmarks/cache_eviction.py` shows). Terms: a factor on the sum; and in proportion to
that share a time for every call of a kernel, for the values that it takes and gives, and for the weights. The size of
that cache is one of several (0: every call takes that time), none smaller than half of the second-level cache, where
the profile tells that.

Terms are fitted by ridge regression of relative errors towards the plain sum (Hoerl and Kennard 1970), in which models
far off count less (Huber 1964): such a one measures something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..latency_model.choice import Competitor
from .graph.cost import Cost

Array = NDArray[np.float64]

MIB = 2**20
TERMS = ("factor", "call", "values", "weights")
CACHED = ("values", "weights")  # terms that take a cache
CACHES_MIB = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0, 16.0, 32.0)
SECOND = "L2"
USED = 0.5  # of a cache a model fills before it evicts itself
ROUNDS = 5  # fits by which the models that are far off are found
LEAST_SHARE = 0.1  # of the plain sum that terms leave of it
PULL = 0.05  # how far a term is pulled towards the plain sum, in relative errors of a model
SCALES = {"factor": 0.2, "call": 2.0, "values": 50.0, "weights": 50.0}  # of the order of: share, us, us a MiB twice
SAID = {
    "factor": "factor {:+.1%}",
    "call": "{:+.2f} us a kernel",
    "values": "{:+.1f} us a MiB of values",
    "weights": "{:+.1f} us a MiB of weights",
}


@dataclass(frozen=True, slots=True)
class Part:
    """Some calls of one kernel in a model: each takes `value_us`, its weights `weight_mib`, its values `moved_mib`."""

    value_us: float
    count: int
    weight_mib: float
    moved_mib: float

    @staticmethod
    def of(value_us: float, count: int, cost: Cost) -> Part:
        """Return the calls of a kernel of that cost."""
        moved_mib = (cost.input_bytes + cost.output_bytes) / MIB
        return Part(value_us, count, cost.weight_bytes / MIB, moved_mib)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is added to the sum of kernels: which terms, the cache's size, and their coefficients."""

    names: tuple[str, ...]
    cache_mib: float
    coefficients: tuple[float, ...]

    def value_us(self, parts: Sequence[Part], call_us: float) -> float:
        """Return the latency of a model; at least a tenth of the plain sum."""
        row = quantities(parts, self.cache_mib)
        return float(added_up(row, call_us, self.names, np.array(self.coefficients)))

    def sentence(self) -> str:
        """Say which terms there are."""
        if not self.names:
            return "the plain sum"
        text = ", ".join(SAID[name].format(value) for name, value in zip(self.names, self.coefficients))
        return f"the sum, {text}" + (f" beyond {self.cache_mib:g} MiB" if self.cache_mib else "")


def sum_us(parts: Sequence[Part]) -> float:
    """Return what the kernels take."""
    return sum(part.value_us * part.count for part in parts)


def quantities(parts: Sequence[Part], cache_mib: float) -> Array:
    """Return what the coefficients of a model's terms are multiplied with, all of them, (4,); first the plain sum."""
    count, weight, moved = np.array([(part.count, part.weight_mib, part.moved_mib) for part in parts]).T
    total_mib = float(weight @ count + moved.max())
    evicted = max(0.0, 1 - (cache_mib / total_mib) ** 2) if total_mib else 0.0
    cold = (count.sum(), np.minimum(moved, cache_mib) @ count, np.minimum(weight, cache_mib) @ count)
    return np.array([sum_us(parts), *(evicted * float(one) for one in cold)])


def columns_of(names: Sequence[str]) -> list[int]:
    """Return which of the quantities belong to some terms."""
    return [TERMS.index(name) for name in names]


def added_up(rows: Array, call_us: float, names: Sequence[str], coefficients: Array) -> Array:
    """Return latencies, (...), of quantities (..., 4) with coefficients (..., k); at least a tenth of the plain sum."""
    plain = rows[..., 0] + call_us
    added = np.sum(rows[..., columns_of(names)] * coefficients, axis=-1)
    return np.asarray(np.maximum(LEAST_SHARE * plain, plain + added))


def sizes_for(hardware: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the sizes of the cache that are tried on a device, by what a profile says of its hardware."""
    told = hardware.get("caches") or ()
    kib = [one[1] for one in told if isinstance(one, (list, tuple)) and len(one) > 1 and one[0] == SECOND]
    least_mib = USED * min((one for one in kib if isinstance(one, (int, float))), default=0) / 1024
    return tuple(size for size in CACHES_MIB if size >= least_mib) or CACHES_MIB[-1:]


def combinations(caches_mib: tuple[float, ...]) -> list[tuple[tuple[str, ...], float]]:
    """Return the terms that are tried together, each with the sizes of the cache, simplest first."""
    found = []
    for taken in product((False, True), repeat=len(TERMS)):
        names = tuple(name for name, is_taken in zip(TERMS, taken) if is_taken)
        sizes = caches_mib if set(names) & set(CACHED) else (0.0, *caches_mib) if "call" in names else (0.0,)
        found += [(names, size) for size in sizes]
    return sorted(found, key=lambda one: len(one[0]))


@dataclass(frozen=True)
class TermsFit:
    """A combination of terms fitted to n whole models: `rows` (n, 4) are their quantities, `truth_us` (n,)."""

    names: tuple[str, ...]
    cache_mib: float
    rows: Array
    call_us: float
    truth_us: Array

    @cached_property
    def expected(self) -> Array:
        """What the plain sum says of each model, relative to the truth, (n,)."""
        return np.asarray((self.rows[:, 0] + self.call_us) / self.truth_us)

    @cached_property
    def scale(self) -> Array:
        """What each coefficient is of the order of, (k,)."""
        return np.array([SCALES[name] for name in self.names])

    @cached_property
    def columns(self) -> Array:
        """The terms of each model, relative to the truth, in units of their orders, (n, k)."""
        return np.asarray(self.rows[:, columns_of(self.names)] / self.truth_us[:, None] * self.scale)

    @cached_property
    def weights(self) -> Array:
        """What each model counts for, (n,): those that a fit finds far off count less."""
        weights = np.ones(len(self.truth_us))
        for _ in range(ROUNDS if self.names else 0):
            left = np.abs(1 - self.expected - self.columns @ self.fitted_with(weights)[1])
            weights = np.minimum(1.0, max(0.01, 1.5 * float(np.median(left))) / np.maximum(left, 1e-9))
        return weights

    def fitted_with(self, weights: Array) -> tuple[Array, Array]:
        """Return the spread (k, k) and the coefficients (k,) in units of their orders, with weights of models (n,)."""
        turned = self.columns.T * weights
        spread: Array = np.asarray(np.linalg.inv(turned @ self.columns + PULL**2 * np.eye(len(self.names))), np.float64)
        return spread, np.asarray(spread @ turned @ (1 - self.expected))

    @cached_property
    def solved(self) -> tuple[Array, Array]:
        """The spread and the coefficients of the fit."""
        return self.fitted_with(self.weights)

    @cached_property
    def terms(self) -> Terms:
        """The terms with their coefficients."""
        return Terms(self.names, self.cache_mib, tuple((self.scale * self.solved[1]).tolist()))

    @cached_property
    def leverages(self) -> Array:
        """How much each model decides of its own prediction, (n,)."""
        return np.asarray(self.weights * np.einsum("ij,jk,ik->i", self.columns, self.solved[0], self.columns))

    @cached_property
    def competitor(self) -> Competitor:
        """The fit as one that competes with others."""
        covariance = np.diag(1 / self.weights) + self.columns @ self.columns.T / PULL**2
        return Competitor(np.asarray(np.linalg.inv(covariance)), self.expected, self.leverages, True)

    def leverage(self, row: Array, value_us: float) -> float:
        """Return how far a model of quantities (4,) and that latency lies from the fitted ones."""
        column = row[columns_of(self.names)] / value_us * self.scale
        return float(column @ self.solved[0] @ column)

    def held_out_us(self, rows: Array) -> Array:
        """Return latencies (n,) of the fitted models by fits to the others; of quantities `rows` (n, 4)."""
        spread, coefficients = self.solved
        left = (1 - self.expected - self.columns @ coefficients) * self.weights / (1 - self.leverages)
        others = coefficients - (self.columns @ spread) * left[:, None]
        return added_up(rows, self.call_us, self.names, others * self.scale)

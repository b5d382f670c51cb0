"""The latency models that compete for a profile, and their fits to whole networks.

A candidate is a set of terms (`terms.py`) whose coefficients are fitted, with or without a shrunk correction of each
layer. Those with the term "sum" build on measured layers; the others know layers by their physical quantities alone.
Where networks are several models, or one that runs several times, a term may count those runs: each is a call of the
runtime, and what it takes in and gives is copied. Where the weights of some networks fit into a cache and those of
others do not, a term may count what spills: it comes from memory in every inference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...supernets import LayerSpec
from .shrinkage import ShrunkFit, covariance, fit_shrunk
from .table import LatencyTable
from .terms import PHYSICAL

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The form of a latency model: its terms, and the expected size of layer corrections in units of noise (0: none).

    `cache_mib` is the size of the cache that a network's weights, counted as fp32, spill over; for the term "spill".
    """

    name: str
    terms: tuple[str, ...]
    correction_ratio: float = 0.0
    cache_mib: float = 0.0

    @property
    def is_composed(self) -> bool:
        """Whether it is built on measured layers."""
        return "sum" in self.terms


PLAIN = Candidate("plain sum", ("sum",))  # the one whose coefficient is not fitted but one
SHAPES = (
    Candidate("scaled sum", ("sum",)),
    Candidate("scaled sum + constant", ("sum", "constant")),
    Candidate("scaled sum + layers", ("sum", "layers")),
    Candidate("scaled sum + borders", ("sum", "borders")),
    Candidate("scaled sum + weights", ("sum", "weights")),
    Candidate("scaled sum + layers + borders", ("sum", "layers", "borders")),
    Candidate("scaled sum + borders + weights", ("sum", "borders", "weights")),
    Candidate("scaled sum + layers + borders + weights", ("sum", "layers", "borders", "weights")),
    Candidate("scaled sum + layers + inputs + outputs + weights", ("sum", "layers", "inputs", "outputs", "weights")),
    Candidate("regression on MACs", ("MACs", "constant")),
    Candidate("regression on MACs, layers, borders, weights", ("MACs", "layers", "borders", "weights")),
)
# A layer's correction is expected to be this many times a network's relative noise. Measured layers are known well:
# larger corrections of theirs fit the noise of few networks, and a search then picks what they flatter.
MEASURED_RATIO, UNMEASURED_RATIO = 5.0, 20.0


def corrected(shapes: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Return the shapes with a correction of each layer."""
    return tuple(
        replace(
            shape,
            name=f"{shape.name} + corrections",
            correction_ratio=MEASURED_RATIO if shape.is_composed else UNMEASURED_RATIO,
        )
        for shape in shapes
    )


RUN_SHAPES = tuple(
    Candidate(f"{shape.name} + runs", (*shape.terms, "runs"))
    for shape in SHAPES
    if shape.is_composed and "constant" not in shape.terms
)
# Where the host takes longer to launch a kernel than the device to run it, each layer costs the same whatever it
# computes: depth decides. So this form has no corrections of layers.
LAUNCHES = Candidate("regression on layers", ("layers", "constant"))
CANDIDATES = (PLAIN, *SHAPES, LAUNCHES, *corrected(SHAPES))
WITH_RUNS = sorted((*SHAPES, *RUN_SHAPES), key=lambda shape: len(shape.terms))
PROGRAM_CANDIDATES = (PLAIN, *WITH_RUNS, LAUNCHES, *corrected(WITH_RUNS))
NETWORK_TERMS = ("constant", "runs", "spill")  # what belongs to no layer
CACHES_MIB = tuple(2.0 ** (step / 2) for step in range(-6, 15))  # 1/8 to 128
FEWEST_ON_A_SIDE = 5  # of networks that fit into a cache, and of those that do not, before it is believed


def spilling(cache_mib: float) -> tuple[Candidate, ...]:
    """Return the forms in which weights spill over a cache."""
    of = f"spill over {cache_mib:.3g} MiB"
    return (
        Candidate(f"scaled sum + {of}", ("sum", "spill"), cache_mib=cache_mib),
        Candidate(f"scaled sum + borders + {of}", ("sum", "borders", "spill"), cache_mib=cache_mib),
        Candidate(f"scaled sum + layers + borders + {of}", ("sum", "layers", "borders", "spill"), cache_mib=cache_mib),
        Candidate(
            f"scaled sum + layers + inputs + outputs + {of}",
            ("sum", "layers", "inputs", "outputs", "spill"),
            cache_mib=cache_mib,
        ),
    )


@dataclass(frozen=True)
class CandidateFit:
    """A candidate fitted to networks. corrections: the relative error of each layer that these networks run."""

    candidate: Candidate
    fit: ShrunkFit
    corrections: Mapping[LayerSpec, float]

    @property
    def spills(self) -> bool:
        """Whether `fixed_us` depends on a network's weights."""
        return "spill" in self.candidate.terms

    def fixed_us(self, runs: int, weights_kib: Array) -> Array:
        """Return the time of networks (n,) that is no layer's: constant, overhead of `runs`, and weights that spill."""
        found = dict(zip(self.candidate.terms, self.fit.coefficients))
        spill = found.get("spill", 0.0) * spilled_kib(weights_kib, self.candidate.cache_mib)
        return np.asarray(found.get("constant", 0.0) + runs * found.get("runs", 0.0) + spill)

    def added_us(self, layers: Sequence[LayerSpec], table: LatencyTable) -> Array:
        """Return what each layer adds to a network's latency, (L,); not-a-number where the table lacks it."""
        values = term_values(layers, table)
        added = self.uncorrected_us(values)
        unit = values["sum"] if self.candidate.is_composed else np.abs(added)
        corrections: Array = np.array([self.corrections.get(spec, 0.0) for spec in layers])
        return np.asarray(added + corrections * unit, dtype=np.float64)

    def leverage(self, terms: Mapping[str, Array], value_us: Array, runs: int, weights_kib: Array) -> Array:
        """Return how far networks (n,) lie from the fitted ones; of each term the sum over a network's layers."""
        spill = spilled_kib(weights_kib, self.candidate.cache_mib)
        whole = {"constant": np.ones(len(value_us)), "runs": np.full(len(value_us), float(runs)), "spill": spill}
        scaled = np.column_stack([whole[t] if t in whole else terms[t] for t in self.candidate.terms])
        scaled /= value_us[:, None]
        return np.asarray(np.einsum("ij,jk,ik->i", scaled, self.fit.spread, scaled, optimize=True))

    def uncorrected_us(self, values: Mapping[str, Array]) -> Array:
        """Return what the terms alone add, (L,), for each term's values over L layers."""
        added: Array = np.zeros(len(values["sum"]))
        for term, coefficient in zip(self.candidate.terms, self.fit.coefficients):
            if term not in NETWORK_TERMS:
                added = added + coefficient * values[term]
        return added


@dataclass(frozen=True)
class Design:
    """What candidates are fitted on: each term of every layer, (L,) each, and how often networks run it, (n, L).

    `runs` (n,) counts the runs of each network's models.
    """

    layers: tuple[LayerSpec, ...]
    counts: Array
    values: Mapping[str, Array]
    runs: Array

    @staticmethod
    def of(networks: Sequence[Sequence[LayerSpec]], table: LatencyTable, runs: Sequence[int]) -> Design:
        """Tabulate the networks' layers; raises LatencyMissing when the table, unless it is empty, lacks one."""
        layers = tuple(dict.fromkeys(spec for network in networks for spec in network))
        if not table.is_empty:
            table.require(layers)
        column = {spec: position for position, spec in enumerate(layers)}
        counts = np.zeros((len(networks), len(layers)))
        for row, network in enumerate(networks):
            np.add.at(counts[row], [column[spec] for spec in network], 1.0)
        return Design(layers, counts, term_values(layers, table), np.array(runs, dtype=np.float64))

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the candidates that these terms allow, simplest first."""
        allowed = PROGRAM_CANDIDATES if np.any(self.runs > 1) else (*CANDIDATES, *self.spilling_candidates())
        return tuple(c for c in allowed if not (c.is_composed and np.isnan(self.values["sum"]).any()))

    @cached_property
    def weights_kib(self) -> Array:
        """The weights of each network that runs once, (n,)."""
        return self.counts @ self.values["weights"]

    def spilling_candidates(self) -> tuple[Candidate, ...]:
        """Return the forms with a cache that some networks fit into and some do not."""
        fits = [(cache_mib, int(np.sum(self.weights_kib <= 1024 * cache_mib))) for cache_mib in CACHES_MIB]
        most = len(self.counts) - FEWEST_ON_A_SIDE
        shapes = tuple(c for mib, count in fits if FEWEST_ON_A_SIDE <= count <= most for c in spilling(mib))
        return (*shapes, *corrected(shapes))

    def fitted(self, candidate: Candidate, truth: Array) -> CandidateFit:
        """Fit a candidate to the networks' latencies (n,)."""
        columns = self.columns(candidate)
        if candidate == PLAIN:
            n, nothing = len(truth), np.zeros(0)
            fit = ShrunkFit(np.ones(1), nothing, columns[:, 0], np.zeros((1, 1)), np.zeros(n), np.eye(n))
            return CandidateFit(candidate, fit, {})
        if not candidate.correction_ratio:
            return CandidateFit(candidate, fit_shrunk(columns, truth), {})
        fit = fit_shrunk(columns, truth, self.layer_columns(candidate, truth), candidate.correction_ratio)
        return CandidateFit(candidate, fit, dict(zip(self.layers, fit.corrections.tolist())))

    def columns(self, candidate: Candidate) -> Array:
        """Return the candidate's terms of each network, (n, k)."""
        spill = spilled_kib(self.weights_kib, candidate.cache_mib)
        whole = {"constant": np.ones(len(self.counts)), "runs": self.runs, "spill": spill}
        return np.column_stack(
            [whole[term] if term in whole else self.counts @ self.values[term] for term in candidate.terms]
        )

    def layer_columns(self, candidate: Candidate, truth: Array) -> Array:
        """Return what a correction of each layer is relative to, in each network, (n, L)."""
        if candidate.is_composed:
            return np.asarray(self.counts * self.values["sum"])
        plain = CandidateFit(candidate, fit_shrunk(self.columns(candidate), truth), {})
        return np.asarray(self.counts * np.abs(plain.uncorrected_us(self.values)))

    def description(self, form: CandidateFit, truth: Array) -> tuple[Array, Array, float]:
        """Return how a fitted form describes latencies, relative to the truth (n,).

        Their mean (n,), the root of their covariance (n, n), in units of the noise, and the noise of a network.
        """
        candidate, n = form.candidate, len(truth)
        columns = self.columns(candidate) / truth[:, None]
        mean = columns @ form.fit.coefficients
        if candidate == PLAIN:
            return mean, np.eye(n), math.sqrt(float(np.mean((1 - mean) ** 2)))
        left = n - int(np.linalg.matrix_rank(columns))
        noise = math.sqrt(max(float(form.fit.residual.sum()), 0.0) / max(left, 1))
        if not candidate.correction_ratio:
            return mean, np.eye(n), noise
        layers = self.layer_columns(candidate, truth) / truth[:, None]
        return mean, np.asarray(np.linalg.cholesky(covariance(layers, candidate.correction_ratio)), np.float64), noise


def spilled_kib(weights_kib: Array, cache_mib: float) -> Array:
    """Return how many KiB of networks' weights (n,) do not fit into a cache."""
    return np.asarray(np.maximum(0.0, weights_kib - 1024 * cache_mib))


def term_values(layers: Sequence[LayerSpec], table: LatencyTable) -> dict[str, Array]:
    """Return each term of each layer, (L,); "sum" is the table's latency, or not-a-number."""
    values = {name: np.array([value_of(spec) for spec in layers]) for name, value_of in PHYSICAL.items()}
    return values | {"sum": np.array([table.value_or_nan(spec) for spec in layers])}

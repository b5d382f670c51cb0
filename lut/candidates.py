"""The latency models that compete for a profile, and their fits to whole networks.

A candidate is a set of terms (`terms.py`) whose coefficients are fitted, with or without a shrunk correction of each
layer. Those with the term "sum" build on measured layers; the others know layers by their physical quantities alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..supernets import LayerSpec, SearchSpace
from .shrinkage import ShrunkFit, fit_shrunk
from .table import LatencyTable
from .terms import PHYSICAL, layer_counts, layers_of

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A form of the latency: terms, and how large layer corrections are, relative to a network's noise (0: none)."""

    name: str
    terms: tuple[str, ...]
    correction_ratio: float = 0.0

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
    Candidate("regression on MACs", ("MACs", "constant")),
    Candidate("regression on MACs, layers, borders, weights", ("MACs", "layers", "borders", "weights")),
)
CORRECTION_RATIOS = (5.0, 20.0)  # layers are expected to be off by 5 % or 20 % where a network's noise is 1 %
CANDIDATES = (
    PLAIN,
    *SHAPES,
    *(Candidate(f"{c.name}, layers corrected by {r:.0f} %", c.terms, r) for r in CORRECTION_RATIOS for c in SHAPES),
)


@dataclass(frozen=True)
class CandidateFit:
    """A candidate fitted to networks. added_us: what each of the design's layers adds to a network, (L,)."""

    candidate: Candidate
    fit: ShrunkFit
    added_us: Array
    constant_us: float


@dataclass(frozen=True)
class Design:
    """What candidates are fitted on: each term of every layer, (L,) each, and how often networks run it, (n, L)."""

    space: SearchSpace
    layers: tuple[LayerSpec, ...]
    counts: Array
    values: Mapping[str, Array]

    @staticmethod
    def of(space: SearchSpace, table: LatencyTable, rows: NDArray[np.int64]) -> Design:
        """Tabulate the terms; raises LatencyMissing when the table, unless it is empty, lacks a network's layer."""
        layers = space.unique_layers()
        values = {name: np.array([value_of(spec) for spec in layers]) for name, value_of in PHYSICAL.items()}
        if not table.is_empty:
            table.require(layers_of(space, rows))
            values["sum"] = np.array([table.value_or_nan(spec) for spec in layers])
        return Design(space, layers, layer_counts(space, rows, layers), values)

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the candidates that these terms allow, simplest first."""
        return tuple(c for c in CANDIDATES if not c.is_composed or "sum" in self.values)

    def fitted(self, candidate: Candidate, truth: Array) -> CandidateFit:
        """Fit a candidate to the networks' latencies (n,)."""
        columns = self.columns(candidate)
        if candidate == PLAIN:
            nothing = np.zeros(len(truth))
            exact = ShrunkFit(np.ones(1), np.zeros(0), columns[:, 0], np.zeros((1, 1)), nothing)
            return CandidateFit(candidate, exact, self.values["sum"], 0.0)
        fit = fit_shrunk(columns, truth)
        added = self._added(candidate, fit)
        if candidate.correction_ratio:
            unit = self.values["sum"] if candidate.is_composed else np.abs(added)
            fit = fit_shrunk(columns, truth, self.counts * np.nan_to_num(unit), candidate.correction_ratio)
            added = self._added(candidate, fit) + fit.corrections * unit
        constant = dict(zip(candidate.terms, fit.coefficients)).get("constant", 0.0)
        return CandidateFit(candidate, fit, added, float(constant))

    def columns(self, candidate: Candidate) -> Array:
        """Return the candidate's terms summed over each network, (n, k)."""
        ones = np.ones(len(self.counts))
        return np.column_stack(
            [ones if t == "constant" else self.counts @ np.nan_to_num(self.values[t]) for t in candidate.terms]
        )

    def _added(self, candidate: Candidate, fit: ShrunkFit) -> Array:
        added = np.zeros(len(self.layers))
        for term, coefficient in zip(candidate.terms, fit.coefficients):
            if term != "constant":
                added = added + coefficient * self.values[term]
        return added

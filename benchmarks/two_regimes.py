"""Latency as the larger of launches and arithmetic, fitted to few networks: what launch-bound devices are said to need.

A device that runs asynchronously is done when the host has launched everything and it has computed everything. The
networks are split into those bound by launches and those bound by arithmetic, each side gets its line by least absolute
relative error, each network goes to the side that is larger for it, and so on until none changes sides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gnomon.lut.latency_model.terms import mega_macs, one
from gnomon.supernets import SearchSpace

ROUNDS = 15
STARTS = 6
CLOSE = 1e-3  # relative error from which on a network counts fully in a fit by absolute error

Array = NDArray[np.float64]


def two_regimes_us(space: SearchSpace, known: NDArray[np.int64], known_us: Array, rows: NDArray[np.int64]) -> Array:
    """Fit measured networks (n, d), and return the latencies of others (m, d), (m,)."""
    layers, macs = space.slot_sum(one), space.slot_sum(mega_macs)

    def lines(indices: NDArray[np.int64]) -> tuple[Array, Array]:
        constant = np.ones(len(indices))
        return np.column_stack([layers(indices), constant]), np.column_stack([macs(indices), constant])

    launches, arithmetic = lines(known)
    by_intensity = np.argsort(macs(known) / layers(known))
    found = []
    for cut in range(0, len(known) + 1, max(1, len(known) // STARTS)):
        computes = np.isin(np.arange(len(known)), by_intensity[cut:])
        for _ in range(ROUNDS):
            a, b = line(launches[~computes], known_us[~computes]), line(arithmetic[computes], known_us[computes])
            computes, before = arithmetic @ b > launches @ a, computes
            if np.array_equal(computes, before):
                break
        error = np.mean(np.abs(np.maximum(launches @ a, arithmetic @ b) / known_us - 1))
        found.append((error, a, b))
    _, a, b = min(found, key=lambda one: one[0])
    launches, arithmetic = lines(rows)
    return np.maximum(launches @ a, arithmetic @ b)


def line(columns: Array, us: Array) -> Array:
    """Return coefficients (k,) of least absolute relative error; zeros for fewer networks than that."""
    scaled = columns / us[:, None]
    if len(us) < columns.shape[1]:
        return np.zeros(columns.shape[1])
    weights = np.ones(len(us))
    for _ in range(ROUNDS):
        coefficients, *_ = np.linalg.lstsq(scaled * weights[:, None], weights, rcond=None)
        weights = 1 / np.sqrt(np.maximum(np.abs(scaled @ coefficients - 1), CLOSE))
    return np.asarray(coefficients)

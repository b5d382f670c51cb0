"""What latency predictions are compared with: the ways that other tools predict, on the same networks."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gnomon.lut import HardwareProfile
from gnomon.lut.latency_model.terms import PHYSICAL
from gnomon.supernets import SearchSpace

PENALTIES = np.logspace(-4, 4, 17)


def plain_sum_us(profile: HardwareProfile, rows: np.ndarray) -> np.ndarray:
    """Add the isolated layers, as once-for-all's and nn-Meter's tables do; (n,)."""
    return profile.space.slot_sum(profile.table.value_us)(rows)


def macs_line_us(space: SearchSpace, known: np.ndarray, known_us: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Fit a line over MACs to measured networks; (n,)."""
    return LinearRegression().fit(space.macs(known)[:, None], known_us).predict(space.macs(rows)[:, None])


def one_hot_ridge_us(space: SearchSpace, known: np.ndarray, known_us: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Fit a ridge on one-hot genes, inactive ones not masked, as DyNAS-T does; (n,)."""

    def encoded(indices: np.ndarray) -> np.ndarray:
        return np.concatenate([np.eye(radix)[column] for radix, column in zip(space.radices, indices.T)], axis=1)

    return RidgeCV(PENALTIES).fit(encoded(known), known_us).predict(encoded(rows))


def physical_ridge_us(space: SearchSpace, known: np.ndarray, known_us: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Fit a ridge on masked one-hot genes and physical sums (MACs, borders, weights, layers); (n,)."""

    def encoded(indices: np.ndarray) -> np.ndarray:
        sums = [space.slot_sum(value_of)(indices) for value_of in PHYSICAL.values()]
        return np.column_stack([space.one_hot(indices), *(4 * total / total.mean() for total in sums)])

    return make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(encoded(known), known_us).predict(encoded(rows))

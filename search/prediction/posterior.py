"""What is believed of all objectives after measuring: a Gaussian process of each costly one, the cheap ones exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...supernets.evaluation.deciding import PILOTS
from ...supernets.space.space import Indices
from ..archive import Archive
from ..evolution.evolve import ranked
from ..problem.objective import Values
from .beliefs import Beliefs
from .gaussian_process import AT_RANDOM, DECIDING, Evidence, GaussianProcess, best_settings
from .kernel import Encoding, Settings

GROWTH = 1.25  # settings are chosen anew when there are so many times more measurements
MOST_TO_TUNE = 120  # full measurements, and as many partial evaluations, that settings are chosen on
MOST_TO_FIT = 700  # measurements that a process is conditioned on: keeps a round's cost bounded


@dataclass(frozen=True)
class Posterior:
    """One process a costly objective, by column."""

    archive: Archive
    processes: Mapping[int, GaussianProcess]

    @staticmethod
    def of(archive: Archive) -> Posterior:
        """Condition on an archive's measurements and partial evaluations.

        Settings are chosen on the first so many measurements, in steps, so that most rounds only condition. A round
        stays a function of the archive.
        """
        encoding = Encoding.of(archive.space)
        full, partial = kept(archive)
        processes = {}
        for column, objective in enumerate(archive.objectives):
            if objective.costly:
                early = evidence(archive, column, step(len(archive.indices)), step(len(archive.partial.shares)))
                settings = tuned(Hashed(early, encoding))
                processes[column] = GaussianProcess.after(evidence(archive, column, full, partial), encoding, settings)
        return Posterior(archive, processes)

    def mean(self, rows: Indices) -> Values:
        """Return the expected values, (n, m)."""
        features = self.archive.space.one_hot(rows)
        columns = [
            self.processes[column].mean(features) if column in self.processes else objective.values(rows)
            for column, objective in enumerate(self.archive.objectives)
        ]
        return np.stack(columns, axis=1)

    def beliefs(self, rows: Indices) -> tuple[Values, dict[int, Beliefs]]:
        """Return the expected values, (n, m), and what is believed of the costly ones by column."""
        features = self.archive.space.one_hot(rows)
        mean = np.empty((len(rows), len(self.archive.objectives)))
        beliefs = {}
        for column, objective in enumerate(self.archive.objectives):
            if column in self.processes:
                mean[:, column], beliefs[column] = self.processes[column].beliefs(features)
            else:
                mean[:, column] = objective.values(rows)
        return mean, beliefs

    def expected(self, rows: Indices) -> tuple[Values, Values]:
        """Return mean and standard deviation of a full measurement, (n, m) each; 0 for exact objectives."""
        features = self.archive.space.one_hot(rows)
        mean = np.empty((len(rows), len(self.archive.objectives)))
        deviation = np.zeros_like(mean)
        for column, objective in enumerate(self.archive.objectives):
            if column in self.processes:
                process = self.processes[column]
                mean[:, column], spread = process.predict(features)
                deviation[:, column] = np.sqrt(spread**2 + process.noise(1.0, mean[:, column]))
            else:
                mean[:, column] = objective.values(rows)
        return mean, deviation


@dataclass(frozen=True, eq=False)
class Hashed:
    """Evidence as a key of a cache: equal where all numbers are."""

    evidence: Evidence
    encoding: Encoding

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hashed) and self.key == other.key

    @property
    def key(self) -> tuple[tuple[float, ...], tuple[bytes, ...]]:
        """Return all that decides the settings."""
        evidence = self.evidence
        arrays = (evidence.features, evidence.targets, evidence.shares, *self.encoding.views)
        return (*evidence.features.shape, evidence.common), tuple(array.tobytes() for array in arrays)


@lru_cache(maxsize=64)
def tuned(key: Hashed) -> Settings:
    """Return the best settings for some evidence; the same evidence is not worked through twice."""
    return best_settings(key.evidence, key.encoding)


def evidence(archive: Archive, column: int, full: Indices, partial: Indices) -> Evidence:
    """Return these measurements and partial evaluations of one objective."""
    rows = np.concatenate([archive.indices[full], archive.partial.indices[partial]])
    targets = np.concatenate([archive.values[full, column], archive.partial.values[partial, column]])
    shares = np.concatenate([np.ones(len(full)), archive.partial.shares[partial]])
    return Evidence(archive.space.one_hot(rows), targets, shares, DECIDING if archive.pilots == PILOTS else AT_RANDOM)


def step(n: int) -> Indices:
    """Return the positions that settings are chosen on when there are `n`: evenly among the first of them."""
    reached = 1
    while (larger := max(reached + 1, round(reached * GROWTH))) <= n:
        reached = larger
    return even(min(reached, n), MOST_TO_TUNE)


def even(n: int, most: int) -> Indices:
    """Return at most so many of n positions, evenly, in order."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)) if n else np.empty(0, np.int64)


def kept(archive: Archive) -> tuple[Indices, Indices]:
    """Return the positions of full and partial evaluations to condition on: all, or the best and an even choice."""
    full, partial = np.arange(len(archive.indices)), np.arange(len(archive.partial.shares))
    if len(full) + len(partial) <= MOST_TO_FIT:
        return full, partial
    if len(full) > MOST_TO_FIT * 3 // 4:
        order = ranked(archive, archive.indices, archive.values)
        best, others = order[: MOST_TO_FIT // 2], np.sort(order[MOST_TO_FIT // 2 :])
        full = np.sort(np.concatenate([best, others[even(len(others), MOST_TO_FIT // 4)]]))
    return full, even(len(partial), MOST_TO_FIT - len(full))

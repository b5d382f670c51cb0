"""Which architectures to evaluate in part before anything is known: those that tell most about all genes together.

Random architectures are alike and leave effects confounded. Here each next one is where the prior, conditioned on the
ones before, is least sure: greedy maximisation of the information gained (Krause et al. 2008, JMLR 9).
"""

from __future__ import annotations

import numpy as np

from ...lut.latency_model.sampling import leaning_networks
from ...supernets.space.space import Indices
from ..archive import Archive
from ..prediction.gaussian_process import solved
from ..prediction.kernel import Basis, Encoding, default_settings

CANDIDATES = 500  # of each kind: leaning, uniform, at the ends of all genes


def informative(archive: Archive, n: int, share: float, rng: np.random.Generator) -> Indices:
    """Choose up to `n` architectures to measure on a share of the images, beside what the archive holds, (n, d)."""
    space = archive.space
    if n < 1:
        return archive.indices[:0]
    ends = rng.integers(0, 2, size=(CANDIDATES, len(space.radices))) * (space.radices - 1)
    named = np.flatnonzero([not choice.is_ordered for choice in space.choices])  # no option of these is an end
    ends[:, named] = rng.integers(0, space.radices[named], size=(CANDIDATES, len(named)))
    kinds = (leaning_networks(space, rng)[:CANDIDATES], space.sample(CANDIDATES, rng), space.canonical(ends))
    pending = archive.pending.reshape(-1, len(space.choices))
    measured = np.concatenate([archive.indices, archive.partial.indices, pending])
    rows = archive.unseen(np.concatenate(kinds))
    rows = rows[archive.not_partially_evaluated(rows)]
    encoding = Encoding.of(space)
    settings = default_settings(len(encoding.views))
    features = space.one_hot(np.concatenate([measured, rows]))
    covariance = Basis.of(encoding, features).components(features, features).covariance(settings)
    shares = np.concatenate([np.ones(len(archive.indices)), archive.partial.shares, archive.pending_shares])
    if len(measured):
        own = covariance[: len(measured), : len(measured)] + np.diag(settings.variances(shares))
        whitened = solved(
            np.asarray(np.linalg.cholesky(own), dtype=np.float64), covariance[: len(measured), len(measured) :]
        )
        covariance = covariance[len(measured) :, len(measured) :] - whitened.T @ whitened
    noise = float(settings.variances(np.array([share]))[0])
    chosen: list[int] = []
    unsure = np.diag(covariance).copy()
    factors = np.empty((min(n, len(rows)), len(rows)))
    for position in range(len(factors)):
        unsure[chosen] = -np.inf
        best = int(np.argmax(unsure))
        column = covariance[best] - factors[:position, best] @ factors[:position]
        factors[position] = column / np.sqrt(column[best] + noise)
        unsure = unsure - factors[position] ** 2
        chosen.append(best)
    return rows[chosen]

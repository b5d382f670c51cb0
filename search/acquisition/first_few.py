"""What a search that can afford only few validations measures first: networks between the ends of the space.

The smallest network is often as bad as the reference point, and the largest as expensive: a front of the two has no
hypervolume. With many validations both pay as evidence; with few, the first have to be a good front themselves. So the
range of what is cheap to compute is cut in as many parts as there are first validations, and at the middle of each
part a network is taken that is as unlike those taken before as can be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...lut.latency_model.sampling import leaning_networks
from ...supernets.space.space import Indices
from ..archive import Archive, first_occurrences
from ..problem.objective import Values, minimised

NEAR = 30  # networks nearest to where one is wanted, among which the most unlike is taken


def between_ends(archive: Archive, n: int, seed: int) -> Indices:
    """Return up to `n` architectures spread evenly from cheap to dear, those in the middle first, (n, d).

    The answer depends on the space, the objectives and the seed, not on what was measured. What breaks constraints on
    cheap quantities, or is outside the region by them, is left out where anything else is found.
    """
    space, rng = archive.space, np.random.default_rng(seed)
    leaning = leaning_networks(space, rng)
    rows = np.concatenate([leaning, space.sample(len(leaning), rng)])
    rows = rows[first_occurrences(rows)]
    fits = allowed(archive, rows)
    rows = rows[fits] if fits.any() else rows
    dear = dearness(archive, rows)
    features = space.one_hot(rows)
    wanted = (np.arange(n) + 0.5) / n
    chosen: list[int] = []
    for target in sorted(wanted, key=lambda share: (abs(share - 0.5), share)):
        near = np.argsort(np.abs(dear - target), kind="stable")[:NEAR]
        near = near[~np.isin(near, chosen)]
        if not len(near):
            continue
        unlike = np.abs(features[near][:, None] - features[chosen][None]).sum(axis=2).min(axis=1, initial=np.inf)
        chosen.append(int(near[np.argmax(unlike)]))
    return rows[chosen]


def dearness(archive: Archive, rows: Indices) -> Values:
    """Return how dear (n, d) rows are from 0 to 1, by the cheap objectives, or MACs where there are none, (n,).

    Prices count by their logs where they have one: what a network gains by twice the price is much alike everywhere.
    """
    cheap = [objective for objective in archive.objectives if not objective.costly]
    columns = [minimised(objective.values(rows)[:, None], [objective.direction])[:, 0] for objective in cheap] or [
        archive.space.macs(rows)
    ]
    columns = [np.log(column) if column.min() > 0 else column for column in columns]
    shares = [(column - column.min()) / (np.ptp(column) or 1.0) for column in columns]
    return np.asarray(np.mean(shares, axis=0))


def allowed(archive: Archive, rows: Indices) -> NDArray[np.bool_]:
    """Mark (n, d) rows that keep the constraints and the region as far as cheap quantities tell, (n,)."""
    fits = np.ones(len(rows), dtype=np.bool_)
    costly = {objective.name for objective in archive.objectives if objective.costly}
    for constraint in archive.problem.constraints:
        if constraint.objective not in costly:
            cheap = next(
                quantity
                for quantity in (*archive.objectives, *archive.problem.watched)
                if quantity.name == constraint.objective
            )
            fits &= constraint.holds(cheap.values(rows))
    for objective, bound in zip(archive.objectives, archive.problem.region.worst):
        if not objective.costly and np.isfinite(bound):
            values = objective.values(rows)
            fits &= values <= bound if objective.direction == "min" else values >= bound
    return fits

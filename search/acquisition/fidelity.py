"""Whether a look at a share of the data is worth its cost: judged by architectures that were looked at and measured."""

from __future__ import annotations

import numpy as np

from ...supernets.evaluation.deciding import PILOTS
from ..archive import Archive, key_of, keys_of
from ..fronts.counting import FEWEST_PAIRS, counts_from

MISFIT = 0.05  # what no model explains of a full measurement, as a share of the spread of values


def partial_evaluations_pay(archive: Archive, share: float) -> bool:
    """Tell whether looks on a share tell more than full measurements of the same cost.

    What a measurement tells is log(1 + signal / noise). Looks that are too noisy, as on few images of a task where all
    architectures do alike, do not pay. False where too few architectures were both looked at and measured.
    """
    if not archive.divisible or not len(archive.partial.shares):
        return False
    measured = dict(zip(keys_of(archive.indices), archive.values))
    at = np.flatnonzero(archive.partial.shares == share)
    rows = [key_of(archive.partial.indices[position]) for position in at]
    paired = [position for position, row in zip(at, rows) if row in measured]
    if len(paired) < FEWEST_PAIRS:
        return False
    full = np.array([measured[key_of(archive.partial.indices[position])] for position in paired])
    doubt = 1.0 + np.sqrt(2.0 / (len(paired) - 1))  # a standard error more than was seen
    noise = doubt * (archive.partial.values[paired] - full).var(axis=0, ddof=1)
    spread = np.minimum(archive.partial.values[at].var(axis=0, ddof=1) - noise, archive.values.var(axis=0, ddof=1))
    for column, objective in enumerate(archive.objectives):
        if objective.costly:
            signal = max(float(spread[column]), 0.0)
            told = np.log1p(signal / max(float(noise[column]), 1e-12)) / share
            if told <= np.log1p(MISFIT**-2):
                return False
    return True


def counting_share(archive: Archive, share: float, budget: float) -> float:
    """Return the share, at least `share`, on which an evaluation of the deciding examples counts in the front; or 1.

    `budget` is what the search was told it may cost when it began; where the archive says what it may cost now, that.
    """
    budget = archive.budget or budget
    if not archive.divisible or archive.pilots < PILOTS or share == 1.0:
        return 1.0
    full = {key_of(row): values for row, values in zip(archive.indices, archive.values)}
    looks = zip(archive.partial.indices, archive.partial.shares, archive.partial.values)
    return max(share, counts_from(full, [(key_of(row), *rest) for row, *rest in looks], budget))

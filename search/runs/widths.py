"""How wide the interval of a prediction has to be to hold: learnt from how earlier predictions of the same run did.

A search measures what was predicted to be best, and the best of many predictions is one that errs upwards. So what is
measured lies further off than the surrogate is unsure, by how much differs from run to run, and nothing like it is
among networks that were measured before. Whatever the errors are like, misses tend to the stated share where a width
grows by each miss and shrinks by each hit (adaptive conformal inference: Gibbs and Candes 2021, arXiv 2106.00170).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..problem.objective import Values

Z_90 = 1.6448536269514722  # normal standard deviations either way that hold 90 %
MISSED = 0.1  # share of the intervals that may miss
RATE = 0.2  # by how much of itself a width grows by a miss, about
MOST = 5  # predictions that a round counts as: one surrogate made all of them, and they err alike
FIRST = 1.5 * Z_90  # before anything is known


def learnt_widths(rounds: NDArray[np.int64], errors: Values) -> tuple[Values, float]:
    """Return how many standard deviations either way each prediction's interval spans, (n,), and the next one would.

    `rounds` (n,) are those that predictions were made for, and `errors` (n,) how far off they were in their standard
    deviations, not-a-number where there was none. A width depends on the errors of earlier rounds only.
    """
    widths, width = np.empty(len(rounds)), FIRST
    for number in np.unique(rounds):
        at = rounds == number
        widths[at] = width
        known = np.abs(errors[at & np.isfinite(errors)])
        counted = min(len(known), MOST) / max(len(known), 1)
        width *= float(np.exp(RATE * counted * ((known > width).sum() - MISSED * len(known))))
    return widths, width

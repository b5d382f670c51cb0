"""Which few examples batch norm is calibrated on in place of all: those whose statistics together are nearest to all's.

A handful of random examples leaves statistics far off, and each sub-network's differently, which moves ranks. Here
examples are taken one by one so that the mean of what those taken show is nearest to the mean of all (herding: Welling
2009; Chen et al. 2010, arXiv 1203.3472). What is looked at are mean and mean square of each example at every batch
norm of some networks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .references import Reference


def representative_order(references: Sequence[Reference]) -> NDArray[np.int64] | None:
    """Return the positions of all examples, each beginning of which stands for all, (n,); None without batch norm."""
    if not all(reference.statistics for reference in references):
        return None
    return herded(np.sum([reference.likeness() for reference in references], axis=0))


def herded(likeness: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order in which examples keep the mean of centred features nearest to zero, (n,).

    `likeness` (n, n) holds the features' products.
    """
    own, pull = np.diag(likeness), np.zeros(len(likeness))
    left = np.zeros(len(likeness))
    order = np.empty(len(likeness), dtype=np.int64)
    for position in range(len(order)):
        order[position] = np.argmin(2.0 * pull + own + left)
        left[order[position]] = np.inf
        pull += likeness[order[position]]
    return order

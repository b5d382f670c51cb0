"""Which of many architectures are new: by sorting a few numbers each, instead of one look-up after another."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...supernets.space.space import Indices


def ordered(numbers: Indices) -> NDArray[np.intp]:
    """Return the first position of each distinct column of (k, n) numbers, those of smaller numbers first, (d,)."""
    order = np.argsort(numbers[0], kind="stable") if len(numbers) == 1 else np.lexsort(numbers[::-1])
    placed = numbers[:, order]
    differs = np.ones(len(order), dtype=np.bool_)
    differs[1:] = (placed[:, 1:] != placed[:, :-1]).any(axis=0)
    return order[differs]


def news(numbers: Indices, known: Indices) -> NDArray[np.intp]:
    """Return the positions, ascending, of columns (k, n) that repeat no earlier one and none of the `known` (k, m)."""
    first = ordered(np.concatenate([known, numbers], axis=1)) - known.shape[1]
    return np.sort(first[first >= 0])

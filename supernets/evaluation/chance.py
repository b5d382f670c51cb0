"""Whether accuracies are those of networks that guess, or that say one class to every example.

Weights that are untrained, damaged or of another network evaluate without any error, and a search on them ranks noise.
So it is said; what is done about it is the user's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

DEVIATIONS = 3.0  # above the mean of a network that guesses


@runtime_checkable
class CountsClasses(Protocol):
    """A super-network that knows how many examples each class has; none has to."""

    def class_counts(self, split: str = "validation") -> NDArray[np.int64]:
        """Count the examples of each class in a split, (classes,); empty where its metric is no top-1 accuracy."""


def chance_said(percents: Sequence[float], counts: NDArray[np.int64]) -> str:
    """Say that none of some accuracies, in percent, shows that anything was learnt, or nothing.

    `counts` (classes,) are the examples of each class. Guessing is what a network does that is right about no more than
    one in so many as there are classes, by three standard deviations; a constant answer is right about exactly the
    examples of one class.
    """
    n, classes = int(counts.sum()), int((counts > 0).sum())
    if not percents or classes < 2:
        return ""
    mean = 1.0 / classes
    most = 100.0 * (mean + DEVIATIONS * np.sqrt(mean * (1.0 - mean) / n))
    shown = " and ".join(f"{percent:.4g} %" for percent in percents)
    on = f"on {n:,} examples of {classes} classes"
    doubt = "the weights may be untrained, damaged, or of another network"
    if max(percents) <= most:
        return f"note: {shown} {on} is what guessing gives (up to {most:.3g} % by chance): {doubt}"
    constant = 100.0 * counts[counts > 0] / n
    if all(np.isclose(constant, percent, rtol=0.0, atol=1e-6).any() for percent in percents):
        return f"note: {shown} {on} is what answering one class to all of them gives: {doubt}"
    return ""

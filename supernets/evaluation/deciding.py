"""Which examples decide how good a sub-network is: those that networks disagree on, then those near a boundary.

Most examples are right, or wrong, for every sub-network of a space. Two networks evaluated in full, the pilots, show
which are not: a validation of another network needs these. What it would be right about among the others is read off
its margins: on what was seen they are regressed on the pilots', and on the rest the distribution of the residuals says
how probably a margin is above 0 (Duan 1983, doi:10.1080/01621459.1983.10478017). The error of such an estimate is not
assumed anywhere: a search sees it on networks that it evaluates both ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import SupernetError
from ..precision import FP32
from ..space.space import Architecture

PILOTS = 2


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Whether a network is right about each of n examples, and how far each is from the decision boundary, both (n,).

    `margins` are at least 0, in units of the network's outputs, rounded as they are kept in files (16 bits).
    """

    right: NDArray[np.bool_]
    margins: NDArray[np.float16]

    @staticmethod
    def of(outputs: NDArray[np.floating], labels: NDArray[np.integer]) -> Outcomes:
        """Return the outcomes of outputs (n, classes) for labels (n,): the margin is that of label and best other."""
        rows = np.arange(len(labels))
        others = outputs.astype(np.float64)
        own = others[rows, labels]
        others[rows, labels] = -np.inf
        margins = np.abs(own - others.max(axis=1))
        largest = float(np.finfo(np.float16).max)
        kept = np.nan_to_num(margins, nan=0.0, posinf=largest).clip(0.0, largest)
        return Outcomes(np.argmax(outputs, axis=1) == labels, kept.astype(np.float16))

    @property
    def percent(self) -> float:
        """The accuracy, in percent."""
        return float(100.0 * np.mean(self.right))

    def at(self, rows: NDArray[np.int64]) -> Outcomes:
        """Return those of the examples at `rows` (k,), in that order."""
        return Outcomes(self.right[rows], self.margins[rows])

    @property
    def signed(self) -> NDArray[np.float64]:
        """The margins, below 0 where it is wrong, (n,)."""
        return np.where(self.right, 1.0, -1.0) * self.margins


@dataclass(frozen=True, slots=True)
class DecidingExamples:
    """All n examples, the most informative first: `order` holds their positions, (n,).

    `consensus` (n,) is the share of the pilots that are right about the example at that position, `margins` (n, p) are
    the pilots' signed ones. Of the order the first `disputed` are those that pilots disagree on.
    """

    order: NDArray[np.int64]
    consensus: NDArray[np.float64]
    margins: NDArray[np.float64]
    disputed: int

    @staticmethod
    def of(pilots: Sequence[Outcomes]) -> DecidingExamples:
        """Order examples: those that pilots disagree on first, then by the smallest of their margins.

        Each beginning of the disputed ones is spread evenly, from those that the pilots are hardly right about to those
        that they almost agree to be right about, so that a share of them stands for all. Raises SupernetError for fewer
        than two pilots, or pilots of different numbers of examples.
        """
        sizes = sorted({len(pilot.right) for pilot in pilots})
        if len(pilots) < PILOTS or len(sizes) != 1:
            raise SupernetError(
                f"deciding examples were asked of {len(pilots)} networks' outcomes on {', '.join(map(str, sizes))} "
                f"examples; expected those of {PILOTS} networks or more on the same examples"
            )
        consensus = np.mean([pilot.right for pilot in pilots], axis=0)
        agree = (consensus == 0.0) | (consensus == 1.0)
        margins = np.array([pilot.signed for pilot in pilots]).T
        disputed, agreed = np.flatnonzero(~agree), np.flatnonzero(agree)
        disputed = disputed[np.argsort(margins.mean(axis=1)[disputed], kind="stable")][evenly(len(disputed))]
        agreed = agreed[np.argsort(np.abs(margins).min(axis=1)[agreed], kind="stable")]
        return DecidingExamples(np.concatenate([disputed, agreed]), consensus, margins, len(disputed))

    def rows(self, share: float) -> NDArray[np.int64]:
        """Return the positions of about that share of the examples, at least one; a larger share contains a smaller."""
        return self.order[: max(1, round(share * len(self.order)))]

    def percent(self, seen: Outcomes) -> float:
        """Return the accuracy, in percent, of a network that was evaluated on the first k > 0 examples of the order.

        Without margins, examples that the pilots agree on count as they have them, disputed ones as those seen.
        """
        k = len(seen.right)
        if seen.margins.any() and self.margins.any():
            told = self.probably_right(seen.signed)
        else:
            told = self.consensus.copy()
            told[self.order[: self.disputed]] = seen.right[: self.disputed].mean() if self.disputed else 0.0
        told[self.order[:k]] = seen.right
        return float(100.0 * told.mean())

    def probably_right(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how probably a network with such signed margins on the first k examples is right about each, (n,)."""
        features = np.column_stack([np.ones(len(self.order)), self.margins])
        known = features[self.order[: len(margins)]]
        weights = np.linalg.lstsq(known, margins, rcond=None)[0]
        residuals = np.sort(margins - known @ weights)
        below = np.searchsorted(residuals, -(features @ weights), side="right")
        return np.asarray(1.0 - below / len(residuals), dtype=np.float64)


def evenly(n: int) -> NDArray[np.int64]:
    """Return an order of n positions whose every beginning is spread evenly: by their reversed bits."""
    positions, bits = np.arange(n), max(1, (n - 1).bit_length())
    reversed_bits = sum(((positions >> bit) & 1) << (bits - 1 - bit) for bit in range(bits))
    return np.argsort(reversed_bits, kind="stable").astype(np.int64)


@runtime_checkable
class TellsOutcomes(Protocol):
    """A super-network that can say what it is right about, example by example; none has to."""

    @property
    def has_outcomes(self) -> bool:
        """Whether its metric is the percentage of the examples that a network is right about."""

    def outcomes(
        self,
        architecture: Architecture,
        split: str = "validation",
        rows: NDArray[np.int64] | None = None,
        *,
        precision: str = FP32,
    ) -> Outcomes:
        """Return the outcomes of a sub-network on the examples of a split at `rows` (k,), in that order; None: all."""


@runtime_checkable
class NamesExamples(Protocol):
    """A super-network that can say whether it validates on the same examples as another; none has to."""

    def examples_sha256(self, split: str = "validation") -> str:
        """Return the digest of the examples of a split, which other examples, or another order, do not have."""


def evaluate_on(
    supernet: TellsOutcomes,
    architecture: Architecture,
    split: str,
    examples: DecidingExamples,
    share: float,
    *,
    precision: str = FP32,
) -> float:
    """Estimate a sub-network's accuracy on a split, in percent, from that share of it which decides most."""
    return examples.percent(supernet.outcomes(architecture, split, examples.rows(share), precision=precision))

"""Batch-norm statistics of sub-networks: on all calibration examples, or on few that stand for all, corrected.

A sub-network's statistics depend on the weights and itself alone: which examples stand for all, and by how much they
are corrected, is decided by three sub-networks that are the same for every other, whatever was evaluated before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..space.space import Architecture

if TYPE_CHECKING:
    from ..elastic import ElasticNetwork, Statistics
    from ..elastic.network import Values
    from ..elastic.normalisation import Corrections
    from ..elastic.references import Reference


@dataclass(frozen=True)
class CalibrationExamples:
    """So many `examples` to calibrate `network` on; `batches` yields those at positions (k,), None: all."""

    network: ElasticNetwork
    examples: int
    batches: Callable[[NDArray[np.int64] | None], Iterator[Values]]
    known: dict[Architecture, Reference] = field(default_factory=dict, init=False, repr=False, compare=False)
    corrections: dict[int, Corrections] = field(default_factory=dict, init=False, repr=False, compare=False)

    def statistics(self, architecture: Architecture, share: float) -> Statistics:
        """Return a sub-network's statistics, none without batch norm; on all examples or, corrected, on a share."""
        from ..elastic.normalisation import CorrectedCalibration
        from ..elastic.references import mean_corrections

        rows = self.rows(share) if share < 1.0 else None
        if rows is not None:
            if len(rows) not in self.corrections:
                references = [self.reference(one) for one in (*self.ends, self.middle)]
                self.corrections[len(rows)] = mean_corrections(references, rows)
            corrected = CorrectedCalibration(self.corrections[len(rows)])
            return self.network.calibrate_on(architecture, self.batches(rows), corrected)
        if architecture in self.ends:  # pilots of most searches: kept for what is evaluated in part
            return self.reference(architecture).statistics
        return self.network.calibrate_on(architecture, self.batches(None))

    def rows(self, share: float) -> NDArray[np.int64] | None:
        """Return the examples that stand for all on a share of them, at least one, (k,); None without batch norm."""
        return None if self.order is None else self.order[: max(1, round(share * self.examples))]

    @cached_property
    def order(self) -> NDArray[np.int64] | None:
        """An order of the examples, each beginning of which stands for all; None without batch norm."""
        from ..elastic.representative import representative_order

        return representative_order([self.reference(end) for end in self.ends])

    @cached_property
    def ends(self) -> tuple[Architecture, Architecture]:
        """The smallest and the largest sub-network."""
        return self.network.space.architecture(0 * self.network.space.radices), self.network.largest

    @cached_property
    def middle(self) -> Architecture:
        """The sub-network of every gene's middle option."""
        return self.network.space.architecture(self.network.space.radices // 2)

    def reference(self, architecture: Architecture) -> Reference:
        """Return what all examples show in a sub-network; it is calibrated on them once, and kept."""
        from ..elastic.references import Reference

        if architecture not in self.known:
            self.known[architecture] = Reference.of(self.network, architecture, self.batches(None))
        return self.known[architecture]

    def prepare(self) -> None:
        """Calibrate what a calibration on a share needs, which the first one would do."""
        if self.order is not None:
            self.reference(self.middle)

"""A latency with its interval and its source: the form in which every prediction leaves this package."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import NotVerified

Array = NDArray[np.float64]

COMPOSED, INTERPOLATED, EXTRAPOLATED, PREDICTED = "composed", "interpolated", "extrapolated", "predicted"
SOURCES = (COMPOSED, INTERPOLATED, EXTRAPOLATED, PREDICTED)  # ever further from what was measured


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """Latencies of n architectures, in microseconds.

    value_us: (n,). log_ratio: (n,), the 90 % interval reaches from value / exp(it) to value x exp(it); None when no
    whole network verified the profile. source: (n,), "composed" (a sum of measured layers), "interpolated" (some layer
    lies between measured sizes), "extrapolated" (some layer lies beyond them) or "predicted" (some layer, or all of it,
    comes from a regression).
    """

    value_us: Array
    log_ratio: Array | None
    source: NDArray[np.str_]

    @property
    def low_us(self) -> Array:
        """The lower end of the 90 % interval, (n,); raises NotVerified."""
        return self.value_us / self.ratio

    @property
    def high_us(self) -> Array:
        """The upper end of the 90 % interval, (n,); raises NotVerified."""
        return self.value_us * self.ratio

    @property
    def ratio(self) -> Array:
        """The factor of the interval, (n,); raises NotVerified where there is none."""
        if self.log_ratio is None:
            raise NotVerified(
                "there is no interval: the profile holds no whole networks, so nothing verified its table. "
                "Measure one on the device itself: gnomon profile"
            )
        return np.asarray(np.exp(self.log_ratio), dtype=np.float64)

"""The lookup table: one measurement a layer. A layer that is not there is an error, never a zero."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ..profilers.timing import Measurement
from ..supernets import LayerSpec
from .errors import LatencyMissing


@dataclass(frozen=True)
class LatencyTable:
    """Measurements by layer key, and why any are missing."""

    measurements: Mapping[str, Measurement]
    failures: Mapping[str, str]

    @cached_property
    def _values(self) -> dict[str, float]:
        return {key: measurement.value_us for key, measurement in self.measurements.items()}

    def value_us(self, spec: LayerSpec) -> float:
        """Return a layer's latency; raises LatencyMissing."""
        if spec.key not in self._values:
            self.require((spec,))
        return self._values[spec.key]

    def value_or_nan(self, spec: LayerSpec) -> float:
        """Return a layer's latency, or not-a-number, which no sum loses, where there is none."""
        return self._values.get(spec.key, math.nan)

    def require(self, layers: tuple[LayerSpec, ...]) -> None:
        """Raise LatencyMissing unless every layer was measured."""
        missing = tuple(spec.key for spec in layers if spec.key not in self.measurements)
        if missing:
            reason = self.failures.get(missing[0], "it was not part of the profile")
            raise LatencyMissing(
                f"{len(missing)} of {len(layers)} layers have no measured latency, first {missing[0]} ({reason}). "
                "Profile the space again, or choose a profile that covers it",
                keys=missing,
            )

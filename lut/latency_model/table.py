"""The lookup table: the latency of each layer, measured or, where asked for, predicted. A missing layer is an error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ...profilers.timing.measurement import Measurement
from ...supernets import LayerSpec
from ..errors import LatencyMissing
from .estimate import COMPOSED


@dataclass(frozen=True, slots=True)
class PredictedLayer:
    """A layer's latency that was not measured: its value, the log ratio of its 90 % interval, and its source."""

    value_us: float
    log_ratio: float
    source: str


@dataclass(frozen=True, repr=False)
class LatencyTable:
    """Measurements by layer key; why any are missing; and predictions for layers that were not measured."""

    measurements: Mapping[str, Measurement]
    failures: Mapping[str, str]
    predicted: Mapping[str, PredictedLayer] = field(default_factory=dict)

    def __repr__(self) -> str:
        counts = [(self.measurements, "measured"), (self.predicted, "predicted"), (self.failures, "failed")]
        return f"LatencyTable({', '.join(f'{len(found)} layers {what}' for found, what in counts if found) or 'empty'})"

    @cached_property
    def _values(self) -> dict[str, float]:
        predicted = {key: layer.value_us for key, layer in self.predicted.items()}
        return predicted | {key: measurement.value_us for key, measurement in self.measurements.items()}

    @property
    def is_empty(self) -> bool:
        """Whether it holds no latency at all."""
        return not self._values

    def value_us(self, spec: LayerSpec) -> float:
        """Return a layer's latency; raises LatencyMissing."""
        if spec.key not in self._values:
            self.require((spec,))
        return self._values[spec.key]

    def value_or_nan(self, spec: LayerSpec) -> float:
        """Return a layer's latency, or not-a-number where there is none, so that a sum with it is not-a-number too."""
        return self._values.get(spec.key, math.nan)

    def source(self, spec: LayerSpec) -> str:
        """Return where the layer's latency comes from: "composed" if it was measured."""
        layer = None if spec.key in self.measurements else self.predicted.get(spec.key)
        return COMPOSED if layer is None else layer.source

    def doubt(self, spec: LayerSpec) -> float:
        """Return the log ratio of a predicted layer's 90 % interval; zero for a measured one."""
        layer = None if spec.key in self.measurements else self.predicted.get(spec.key)
        return 0.0 if layer is None else layer.log_ratio

    def require(self, layers: Iterable[LayerSpec]) -> None:
        """Raise LatencyMissing unless every layer has a latency."""
        keys = list(dict.fromkeys(spec.key for spec in layers))
        missing = tuple(key for key in keys if key not in self._values)
        if missing:
            reason = self.failures.get(missing[0], "it was not part of the profile")
            raise LatencyMissing(
                f"{len(missing)} of {len(keys)} layers have no measured latency, first {missing[0]} ({reason}). "
                "Profile the space again, choose a profile that covers it, or predict them from the others: "
                "gnomon predict PROFILE --space SPACE",
                keys=missing,
            )

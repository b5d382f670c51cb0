"""The lookup table: the latency of each layer, measured or, where asked for, predicted. A missing layer is an error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ...profilers.timing.measurement import Measurement
from ...supernets import LayerSpec
from ..errors import LatencyMissing
from .estimate import COMPOSED, PREDICTED


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
    def _known(self) -> dict[str, float]:
        """Latencies that were asked for: reading one off its blocks takes longer than looking it up."""
        return {}

    @property
    def is_empty(self) -> bool:
        """Whether it holds no latency at all."""
        return not self.measurements and not self.predicted

    def has(self, key: str) -> bool:
        """Tell whether a layer has a latency, measured or predicted."""
        return key in self.measurements or key in self.predicted

    def value_us(self, spec: LayerSpec) -> float:
        """Return a layer's latency; raises LatencyMissing."""
        value = self.value_or_nan(spec)
        if math.isnan(value):
            self.require((spec,))
        return value

    def value_or_nan(self, spec: LayerSpec) -> float:
        """Return a layer's latency, or not-a-number where there is none, so that a sum with it is not-a-number too."""
        key = spec.key
        if key not in self._known and self.has(key):
            measured = key in self.measurements
            self._known[key] = self.measurements[key].value_us if measured else self.predicted[key].value_us
        return self._known.get(key, math.nan)

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
        missing = tuple(key for key in keys if not self.has(key))
        if missing:
            reason = self.failures.get(missing[0], "it was not part of the profile")
            raise LatencyMissing(
                f"{len(missing)} of {len(keys)} layers have no measured latency, first {missing[0]} ({reason}). "
                "Profile the space again, choose a profile that covers it, or predict them from the others: "
                "gnomon predict PROFILE --space SPACE",
                keys=missing,
            )


def predicted_from(priors: Mapping[str, float]) -> dict[str, PredictedLayer]:
    """Return the layers of another profile as predictions, whose error here only whole networks can show."""
    return {key: PredictedLayer(us, 0.0, PREDICTED) for key, us in priors.items()}

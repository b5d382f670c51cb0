"""The models of a network at a precision, as a super-network gives them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ...lut import HardwareProfile, network_parts, timed_model
from ...profilers.timing.plan import Model
from ...supernets.graph import PartModel
from ...supernets.precision import FP32
from ...supernets.space.space import Architecture
from ..problem.context import EvaluatesArchitectures


@runtime_checkable
class Exportable(Protocol):
    """A super-network that writes its sub-networks as they are shipped."""

    def models(self, architecture: Architecture, *, batch: int = 1, precision: str = FP32) -> tuple[PartModel, ...]:
        """Return a sub-network's parts as ONNX models at a precision."""
        ...


def exported(architecture: Architecture, supernet: EvaluatesArchitectures | None, profile: HardwareProfile) -> Model:
    """Return a sub-network as it would be shipped; its layers alone, whose times are the same, without weights."""
    config = profile.run_config
    if not isinstance(supernet, Exportable):
        return timed_model(network_parts(profile.space, architecture, config, weight_bits=profile.weight_bits))
    return timed_model(models_at(supernet, architecture, config.precision, batch=config.batch))


def models_at(
    supernet: Exportable, architecture: Architecture, precision: str, *, batch: int = 1
) -> tuple[PartModel, ...]:
    """Return a sub-network's parts at a precision; in fp32 of any super-network, else of one that knows it."""
    if precision == FP32:
        return supernet.models(architecture, batch=batch)
    return supernet.models(architecture, batch=batch, precision=precision)

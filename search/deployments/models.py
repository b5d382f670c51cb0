"""The model of a network as it is run and shipped."""

from __future__ import annotations

from ...lut import HardwareProfile, network_parts, timed_model
from ...profilers.timing.plan import Model
from ...supernets.space.space import Architecture
from ..problem.supernet import SearchableSupernet


def exported(architecture: Architecture, supernet: SearchableSupernet | None, profile: HardwareProfile) -> Model:
    """Return a sub-network as it would be shipped; its layers alone, whose times are the same, without weights."""
    config = profile.run_config
    parts = supernet and supernet.models(architecture, batch=config.batch, precision=config.precision)
    return timed_model(parts or network_parts(profile.space, architecture, config, weight_bits=profile.weight_bits))

"""Layers and sub-networks as plans time them: at a precision and batch, without the weights of any training.

A network is one model, or a program of the models that its parts are. At int8, ranges come from synthetic inputs, which
change the values that are computed and not the latency. Its `weight_bits` are those of the device (`quantisation.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ...profilers.run_config import RunConfig
from ...profilers.timing.plan import Model
from ...profilers.timing.program_part import ProgramPart
from ...supernets import Architecture, LayerSpec, SearchSpace
from ...supernets.graph import PartModel, graph_from_layers, models_from_architecture
from ...supernets.precision import at_precision, parts_at_precision


def layer_model(spec: LayerSpec, config: RunConfig, *, weight_bits: int | None = None) -> bytes:
    """Return a layer alone; raises SupernetError for a precision that it cannot be converted to."""
    return at_precision(graph_from_layers([spec], batch=config.batch), config.precision, weight_bits=weight_bits)


def network_parts(
    space: SearchSpace, architecture: Architecture, config: RunConfig, *, weight_bits: int | None = None
) -> tuple[PartModel, ...]:
    """Return a sub-network's parts; raises SupernetError for a precision that they cannot be converted to."""
    parts = models_from_architecture(space, architecture, batch=config.batch)
    return parts_at_precision(parts, config.precision, weight_bits=weight_bits)


def timed_model(parts: Sequence[PartModel]) -> Model:
    """Return what is timed of a network: its one model where that runs once, else the program of its parts."""
    if len(parts) == 1 and parts[0].runs == 1:
        return parts[0].model
    return tuple(ProgramPart(part.name, part.model, part.runs) for part in parts)

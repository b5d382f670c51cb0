"""Sub-networks as plans time them: one model, or a program of the models that the network's parts are."""

from __future__ import annotations

from collections.abc import Sequence

from ..profilers.plan import Model
from ..profilers.program import ProgramPart
from ..supernets.graph import PartModel


def timed_model(parts: Sequence[PartModel]) -> Model:
    """Return what is timed of a network: its one model where that runs once, else the program of its parts."""
    if len(parts) == 1 and parts[0].runs == 1:
        return parts[0].model
    return tuple(ProgramPart(part.name, part.model, part.runs) for part in parts)

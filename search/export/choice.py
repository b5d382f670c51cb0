"""The network that an export is of, chosen from a run's front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...supernets.registry import PRECISION, load_space
from ...supernets.space.space import Architecture
from ..deployments.provenance import Deployment
from ..errors import UnknownName

if TYPE_CHECKING:
    from ..runs.run import Run


@dataclass(frozen=True)
class ChosenNetwork:
    """What was picked from a run's front: the network without its settings, its precision, and how it runs fastest."""

    network: Architecture
    precision: str
    deployment: Deployment | None


def chosen_from(run: Run, pick: str, *, shown: Run | None = None) -> ChosenNetwork:
    """Return what a rule picks from a run's front; raises what `ParetoFront.pick` raises, UnknownSpace.

    An id that is not on that front may be one of the front of `shown`, the same run under other latencies.
    """
    try:
        architecture = run.front().pick(pick)
    except UnknownName:
        if shown is None:
            raise
        architecture = shown.front().pick(pick)
    space = load_space(run.config.space)
    if not space.settings:
        return ChosenNetwork(architecture, run.precision, run.deployment(architecture))
    (precision,) = space.setting(PRECISION, [architecture.indices])
    return ChosenNetwork(space.network_of(architecture), str(precision), run.deployment(architecture))

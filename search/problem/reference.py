"""Where hypervolume ends for what has to be measured: settled once, when a run begins, and kept in its description.

A costly objective to minimise has no worst value that arithmetic gives. One that can say its worst measures it (a
largest architecture or three); measured again it would differ a little, so a run that goes on takes what it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from ..config import SearchConfig
from ..runs.records import RUN_FILE, read_header
from .objective import Objective
from .region import Region


@runtime_checkable
class KnowsWorst(Protocol):
    """A costly objective to minimise that can say its worst value, at the cost of measuring it."""

    def worst(self) -> float:
        """Return the value that hypervolume is measured from unless the settings say."""


def with_reference(config: SearchConfig, objectives: Sequence[Objective], kept: Mapping[str, float]) -> SearchConfig:
    """Return the settings with the worst of each objective that has to measure it: what was `kept`, or measured now.

    What the settings or a bound of their region say stays. Raises InvalidConfig for a region that cannot be read.
    """
    bounds = Region.of(config.region, objectives, config.constraints).worst
    reference = dict(config.reference)
    for objective, bound in zip(objectives, bounds):
        if isinstance(objective, KnowsWorst) and objective.name not in reference and not np.isfinite(bound):
            known = kept.get(objective.name)
            reference[objective.name] = objective.worst() if known is None else known
    return config.model_copy(update={"reference": reference})


def kept_reference(folder: Path) -> Mapping[str, float]:
    """Return the references that the run in `folder` was begun with, none where there is no run; raises RunDamaged."""
    return read_header(folder).config.reference if (folder / RUN_FILE).exists() else {}

"""Hypervolume against cost: of one run, or of several seeds as their median with the band between the extremes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import PlotRefused
from .canvas import ACCENT, BAND, COLUMN, figure

if TYPE_CHECKING:
    from ...search import Run


def plot_hypervolume(
    runs: Sequence[Run], path: str | Path, *, size: tuple[float, float] = COLUMN, force: bool = False
) -> None:
    """Draw how the hypervolume of runs grew over their cost; `size` in inches, one column of a paper by default.

    Several runs are drawn as the median over them, with a band from the lowest to the highest: give runs that differ
    in their seed alone. Raises PlotRefused for runs without measurements, with different reference points, or
    without a cost in common, and OutputUnusable.
    """
    traces = [(np.array(run.cost_trace()), np.array(run.hypervolume_trace())) for run in runs]
    if not traces or any(len(cost) == 0 for cost, _ in traces):
        raise PlotRefused("nothing to draw: give at least one run, each with a full measurement")
    if len({tuple(o.reference for o in run.header.objectives) for run in runs}) > 1:
        raise PlotRefused("these runs end at different reference points, so their hypervolumes do not compare")
    grid = np.unique(np.concatenate([cost for cost, _ in traces]))
    grid = grid[(grid >= max(cost[0] for cost, _ in traces)) & (grid <= min(cost[-1] for cost, _ in traces))]
    if not len(grid):
        raise PlotRefused("these runs have no cost in common at which all had measured something")
    volumes = np.array([trace[np.searchsorted(cost, grid, side="right") - 1] for cost, trace in traces])
    with figure(Path(path), force=force, size=size) as axes:
        if len(runs) > 1:
            label = f"lowest to highest of {len(runs)}"
            axes.fill_between(grid, volumes.min(0), volumes.max(0), step="post", color=BAND, linewidth=0, label=label)
        label = "median" if len(runs) > 1 else runs[0].config.tactic
        axes.step(grid, np.median(volumes, axis=0), where="post", color=ACCENT, linewidth=1.2, label=label)
        axes.set(xlabel="cost (full validations)", ylabel="hypervolume")
        axes.legend(frameon=False, loc="lower right")

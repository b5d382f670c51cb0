"""Where the time of networks goes: a bar each, one block a stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PlotRefused
from .canvas import COLUMN, INK, figure

if TYPE_CHECKING:
    from ...lut.analysis.explain import Explanation

# Two hues in turn, each from dark to light: neighbours differ in lightness, in print and for every colour vision.
SHADES = ("#164d86", "#f0a36b", "#3574b3", "#f7c9a4", "#6096cb", "#c8500b", "#92b8de", "#8a3706", "#bcd3ea", "#e07b33")


def plot_breakdown(
    explanations: Mapping[str, Explanation],
    path: str | Path,
    *,
    size: tuple[float, float] = COLUMN,
    force: bool = False,
) -> None:
    """Draw networks, by name, as bars of the time that each stage adds; `size` in inches, one column by default.

    What belongs to no layer is left out, so that a bar ends where its layers do; the number beside it is the
    prediction. Raises PlotRefused for no networks, and OutputUnusable.
    """
    if not explanations:
        raise PlotRefused("nothing to draw: give at least one explanation, by the name of its network")
    stages = list(dict.fromkeys(stage.name for found in explanations.values() for stage in found.stages))
    colour = {stage: SHADES[number % len(SHADES)] for number, stage in enumerate(stages)}
    with figure(Path(path), force=force, size=size) as axes:
        seen: set[str] = set()
        for row, found in enumerate(explanations.values()):
            left = 0.0
            for stage in found.stages:
                wide = max(0.0, stage.contribution_us)
                label = None if stage.name in seen else stage.name
                axes.barh(row, wide, left=left, color=colour[stage.name], edgecolor="white", linewidth=0.6, label=label)
                seen.add(stage.name)
                left += wide
            axes.annotate(f" {found.value_us:,.4g} us", (left, row), va="center", color=INK)
        axes.set_yticks(range(len(explanations)), list(explanations), parse_math=False)
        axes.invert_yaxis()
        axes.margins(x=0.22)
        axes.set(xlabel="latency (us)")
        axes.legend(
            frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.24), columnspacing=1.0, handlelength=1.0
        )

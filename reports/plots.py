"""Plots, written as PNG or SVG by the file's ending. matplotlib is imported on use, without a display."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import PlotRefused

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..search import Run

INK, ACCENT, SOFT, BAND = "#1f2933", "#c8553d", "#9aa5b1", "#f0e3c4"


@contextmanager
def figure(path: Path, *, force: bool, size: tuple[float, float] = (6.4, 4.8)) -> Iterator[Any]:
    """Open a figure with one pair of axes, and save it at `path`; raises PlotRefused."""
    if path.suffix not in (".png", ".svg"):
        raise PlotRefused(f"cannot write {path}: a plot is .png or .svg")
    if path.exists() and not force:
        raise PlotRefused(f"{path} is there already; choose another name, or replace it with --force")
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotRefused("plots need matplotlib; install it: pip install 'gnomon[plot]'") from error
    drawing = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(drawing)
    axes = drawing.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    yield axes
    try:
        drawing.savefig(path, dpi=150)
    except OSError as error:
        raise PlotRefused(f"cannot write {path}: {error}") from error


def plot_fidelity(profile: HardwareProfile, path: Path, *, force: bool = False) -> None:
    """Draw predicted against measured latency of the profile's whole networks, with the 5 % band.

    Each network's prediction comes from a fit without it. Raises PlotRefused for a profile without whole networks.
    """
    if not profile.networks:
        raise PlotRefused(f"profile {profile.name} holds no whole networks to draw; measure one: gnomon profile")
    measured = np.array([measurement.value_us for measurement in profile.network_measurements])
    predicted = np.array(profile.latency.held_out_us)
    ends = np.array([0.9 * min(measured.min(), predicted.min()), 1.05 * max(measured.max(), predicted.max())])
    with figure(path, force=force, size=(5.6, 5.2)) as axes:
        axes.fill_between(ends, 0.95 * ends, 1.05 * ends, color=BAND, label="within 5 %", linewidth=0)
        axes.plot(ends, ends, color=SOFT, linewidth=1)
        axes.scatter(measured, predicted, s=18, color=ACCENT, label="whole networks (held out)", zorder=3)
        axes.set(xlabel="measured latency (us)", ylabel="predicted latency (us)", xlim=ends, ylim=ends)
        report = profile.latency.report
        axes.set_title(
            f"{profile.header.space} on {profile.header.device}, {profile.header.backend}\n"
            f"MAPE {report.mape_percent:.1f} %, {report.within_5_percent:.0f} % within 5 %\n{report.model}",
            fontsize=10,
            color=INK,
            parse_math=False,
        )
        axes.legend(frameon=False, loc="upper left")


def plot_front(run: Run, path: Path, *, force: bool = False) -> None:
    """Draw all that a run measured in full in its first two objectives, and the Pareto front with its hypervolume."""
    front = run.front()
    first, second = front.objectives[:2]
    everything = run.values[:, :2]
    best = np.array(front.values)[:, :2]
    order = np.argsort(best[:, 1])
    with figure(path, force=force) as axes:
        axes.scatter(everything[:, 1], everything[:, 0], s=14, color=SOFT, label=f"measured ({len(everything)})")
        axes.plot(best[order, 1], best[order, 0], color=ACCENT, linewidth=1, drawstyle="steps-post")
        axes.scatter(best[:, 1], best[:, 0], s=26, color=ACCENT, label=f"Pareto front ({len(best)})", zorder=3)
        axes.set(xlabel=f"{second.name} ({second.unit})", ylabel=f"{first.name} ({first.unit})")
        axes.set_title(
            f"{run.config.space}: {run.config.tactic}, hypervolume {run.hypervolume():.4g}",
            fontsize=10,
            color=INK,
            parse_math=False,
        )
        axes.legend(frameon=False, loc="lower right")

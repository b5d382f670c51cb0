"""Plots, written as PNG, SVG or PDF by the file's ending. matplotlib is imported on use, without a display."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..outputs import appearing, file_kind, require_free
from ..profilers.files import open_to_read
from ..supernets.packages import install_command
from .errors import PlotRefused

if TYPE_CHECKING:
    from ..lut import HardwareProfile
    from ..search import Run
    from ..search.final.front import FinalFront
    from ..search.problem.objective import Values

KINDS = (".png", ".svg", ".pdf")
INK, ACCENT, SOFT, BAND, FINAL = "#1f2933", "#c8553d", "#9aa5b1", "#f0e3c4", "#2b6a8f"
MARKS = {  # by which a later plot may replace it
    ".png": {"Software": "Gnomon"},
    ".svg": {"Creator": "Gnomon"},
    ".pdf": {"Creator": "Gnomon"},
}
HEAD_BYTES = 1 << 16  # of a picture, and of a PDF as much of its end


def is_ours(path: str | Path) -> bool:
    """Tell whether a picture's metadata say that Gnomon drew it; raises OSError."""
    with open_to_read(path) as file:
        head = file.read(HEAD_BYTES)
        if head.startswith(b"%PDF-"):
            file.seek(max(0, file.seek(0, os.SEEK_END) - HEAD_BYTES))
            return b"/Creator (Gnomon)" in file.read()
    return (head.startswith(b"\x89PNG") and b"Software\0Gnomon" in head) or (
        b"<svg" in head and b"<dc:title>Gnomon</dc:title>" in head
    )


PLOT = file_kind("a plot", is_ours, option="name")


@contextmanager
def figure(path: str | Path, *, force: bool, size: tuple[float, float] = (6.4, 4.8)) -> Iterator[Any]:
    """Open a figure with one pair of axes, and save it at `path`; raises PlotRefused, OutputUnusable."""
    with figures(path, force=force, size=size, widths=(1,)) as (axes,):
        yield axes


@contextmanager
def figures(
    path: str | Path, *, force: bool, size: tuple[float, float], widths: tuple[int, ...]
) -> Iterator[tuple[Any, ...]]:
    """Open a figure with axes for each of `widths`, side by side, and save it; raises PlotRefused, OutputUnusable."""
    path = Path(path)
    if path.suffix not in KINDS:
        raise PlotRefused(f"cannot write {path}: a plot is {', '.join(KINDS)}")
    require_free(path, PLOT, force=force)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise PlotRefused(f"plots need matplotlib; install it: {install_command('matplotlib')}") from error
    drawing = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(drawing)
    grid = drawing.add_gridspec(1, len(widths), width_ratios=widths)
    axes = tuple(drawing.add_subplot(grid[0, column]) for column in range(len(widths)))
    for each in axes:
        for side in ("top", "right"):
            each.spines[side].set_visible(False)
    yield axes
    with appearing(path, PLOT, force=force) as fresh:
        drawing.savefig(fresh, dpi=150, metadata=MARKS[path.suffix])


def plot_fidelity(profile: HardwareProfile, path: str | Path, *, force: bool = False) -> None:
    """Draw predicted against measured latency of the profile's whole networks, with the 5 % band.

    Each network's prediction comes from a fit without it. Raises PlotRefused for a profile without whole networks.
    """
    path = Path(path)
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


def plot_front(
    run: Run,
    path: str | Path,
    *,
    final: FinalFront | None = None,
    picks: Mapping[str, str] | None = None,
    force: bool = False,
) -> None:
    """Draw what a run measured in its first two objectives, the Pareto front, and how hypervolume grew over the cost.

    With the run's `final` front, its members' final values are drawn too, each joined to what the search believed.
    `picks` are members to mark, by id, each with what to call it beside its id (nothing: the id alone).
    """
    path = Path(path)
    front = run.front()
    if len(front.objectives) < 2:
        raise PlotRefused(f"the run in {run.folder} has one objective, {front.objectives[0].name}; a plot needs two")
    first, second = front.objectives[:2]
    everything, best = run.values[:, :2], np.array(front.values)[:, :2]
    order = np.argsort(best[:, 1])
    trace = run.hypervolume_trace()
    split = "" if final is None else f", on {final.header.search_split}"
    with figures(path, force=force, size=(10.4, 4.8), widths=(5, 3)) as (axes, growth):
        axes.scatter(everything[:, 1], everything[:, 0], s=14, color=SOFT, label=f"measured{split} ({len(everything)})")
        if len(front.objectives) == 2:
            style = "steps-post" if second.direction == "min" else "steps-pre"
            axes.plot(best[order, 1], best[order, 0], color=ACCENT, linewidth=1, drawstyle=style)
        axes.scatter(best[:, 1], best[:, 0], s=26, color=ACCENT, label=f"Pareto front{split} ({len(best)})", zorder=3)
        if final is not None:
            draw_final(axes, final, first.name, second.name)
        mark_picks(axes, {a.id: value for a, value in zip(front.architectures, best)}, picks or {})
        axes.set(xlabel=second.head, ylabel=first.head)
        axes.set_title(f"{run.config.space}: {run.config.tactic}", fontsize=10, color=INK, parse_math=False)
        axes.legend(frameon=False, loc="lower right", fontsize=9)
        growth.step(run.cost_trace(), trace, where="post", color=ACCENT, linewidth=1.2)
        growth.set(xlabel="cost (full validations)", ylabel="hypervolume", ylim=trace_limits(trace))
        growth.set_title(f"hypervolume {trace[-1]:,.6g}", fontsize=10, color=INK)


def mark_picks(axes: Any, values: Mapping[str, Values], picks: Mapping[str, str]) -> None:
    """Ring the picked members and write their ids beside them; raises PlotRefused for an id not on the front."""
    for number, (member, name) in enumerate(picks.items()):
        if member not in values:
            raise PlotRefused(f"{member} is not on the front, so it cannot be marked; it has {', '.join(values)}")
        up, right = values[member]
        axes.scatter([right], [up], s=110, facecolors="none", edgecolors=INK, linewidths=1.3, zorder=5)
        axes.annotate(
            f"{name} {member}".strip(),
            (right, up),
            xytext=(9, -13 if number % 2 else 8),
            textcoords="offset points",
            fontsize=8,
            color=INK,
            parse_math=False,
        )


def draw_final(axes: Any, final: FinalFront, first: str, second: str) -> None:
    """Draw the final values of each member, with the 90 % interval of a predicted latency, and where it came from."""
    searched = np.array([[member.search[first], member.search[second]] for member in final.members])
    values = [final.value_of(member) for member in final.members]
    ends = np.array([[value[first], value[second]] for value in values])
    stays = np.array([standing.on_front is True for standing in final.standings])
    for before, after in zip(searched, ends):
        axes.plot([before[1], after[1]], [before[0], after[0]], color=FINAL, linewidth=0.7, alpha=0.5, zorder=2)
    for member in final.members:
        timing = final.timings.get(member.id)
        if second == final.header.latency and timing and timing.low_us and timing.high_us:
            height = member.search[first]
            axes.plot([timing.low_us, timing.high_us], [height, height], color=ACCENT, linewidth=3, alpha=0.3)
    label = f"final, on {final.header.report_split}"
    axes.scatter(ends[stays, 1], ends[stays, 0], s=30, color=FINAL, label=f"{label}: stays ({stays.sum()})", zorder=4)
    if not stays.all():
        axes.scatter(
            ends[~stays, 1], ends[~stays, 0], s=30, facecolors="none", edgecolors=FINAL, label=f"{label}: not", zorder=4
        )


def trace_limits(trace: Sequence[float]) -> tuple[float, float]:
    """Return the vertical limits that show how the upper half of a trace grew; its first steps may lie below."""
    low, high = float(np.quantile(trace, 0.1)), max(trace)
    margin = 0.08 * (high - low) or abs(high) or 1.0
    return low - margin, high + margin

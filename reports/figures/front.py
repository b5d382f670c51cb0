"""The front of a run, with intervals and the region beyond its constraints, and how its hypervolume grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PlotRefused
from .canvas import ACCENT, BAND, FINAL, INK, SOFT, figures

if TYPE_CHECKING:
    from ...lut import HardwareProfile
    from ...search import Run
    from ...search.final.front import FinalFront
    from ...search.problem.objective import Values


def plot_front(
    run: Run,
    path: str | Path,
    *,
    final: FinalFront | None = None,
    picks: Mapping[str, str] | None = None,
    profile: HardwareProfile | None = None,
    force: bool = False,
) -> None:
    """Draw what a run measured in its first two objectives, the Pareto front, and how hypervolume grew over the cost.

    With the run's `final` front, its members' final values are drawn too, each joined to what the search believed.
    `picks` are members to mark, by id, each with what to call it beside its id (nothing: the id alone). With the
    run's `profile`, if whole networks verified it, each member has the 90 % interval of its latency. What breaks a
    constraint on either is shaded. Raises PlotRefused for a run with one objective or a pick that is not on the front,
    and OutputUnusable.
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
        elif profile is not None and second.name == "latency" and profile.latency.quantile is not None:
            draw_intervals(axes, profile, np.array([a.indices for a in front.architectures]), best)
        shade_constraints(axes, run)
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


def draw_intervals(axes: Any, profile: HardwareProfile, rows: Values, best: Values) -> None:
    """Draw the 90 % interval of each member's latency, `rows` (n, d) being their genes."""
    ratio = profile.latency.predict(rows).ratio
    axes.hlines(best[:, 0], best[:, 1] / ratio, best[:, 1] * ratio, color=ACCENT, linewidth=3, alpha=0.3)


def shade_constraints(axes: Any, run: Run) -> None:
    """Shade what breaks the run's constraints on the two objectives that are drawn, as far as the axes reach."""
    limits = (axes.get_ylim(), axes.get_xlim())
    for objective, (low, high), shade in zip(run.objectives, limits, (axes.axhspan, axes.axvspan)):
        for constraint in run.problem.constraints:
            if constraint.objective == objective.name and low < constraint.bound < high:
                ends = (constraint.bound, high) if constraint.operator.startswith("<") else (low, constraint.bound)
                shade(*ends, color=BAND, zorder=0, linewidth=0, label=f"breaks {constraint}")
    axes.set(ylim=limits[0], xlim=limits[1])


def trace_limits(trace: Sequence[float]) -> tuple[float, float]:
    """Return the vertical limits that show how the upper half of a trace grew; its first steps may lie below."""
    low, high = float(np.quantile(trace, 0.1)), max(trace)
    margin = 0.08 * (high - low) or abs(high) or 1.0
    return low - margin, high + margin

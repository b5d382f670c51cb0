"""Predicted against measured latency of whole networks, on equal scales."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import PlotRefused
from .canvas import ACCENT, BAND, INK, SOFT, figure

if TYPE_CHECKING:
    from ...lut import HardwareProfile


def plot_fidelity(profile: HardwareProfile, path: str | Path, *, force: bool = False) -> None:
    """Draw predicted against measured latency of the profile's whole networks, with the 5 % band.

    Each network's prediction comes from a fit without it. Raises PlotRefused for a profile without whole networks,
    and OutputUnusable.
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
        axes.set_aspect("equal")
        report = profile.latency.report
        axes.set_title(
            f"{profile.header.space} on {profile.header.device}, {profile.header.backend}\n"
            f"MAPE {report.mape_percent:.1f} %, {report.within_5_percent:.0f} % within 5 %\n{report.model}",
            fontsize=10,
            color=INK,
            parse_math=False,
        )
        axes.legend(frameon=False, loc="upper left")

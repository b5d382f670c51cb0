"""How far to trust a profile: what its verification and the run that measured it give to doubt."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import numpy as np

from ...profilers.results.drift import undisturbed_anchors
from ...profilers.timing.measurement import undisturbed
from ..latency_model.fit_report import FitReport
from .schema import AnchorRecord

ENOUGH_ANCHORS = 8  # visits, of which each quarter of a run has two

Doubt = tuple[str, str]  # "poor" or "fair", and what was found


def drift_percent(anchors: Sequence[AnchorRecord], *, apart: bool) -> float | None:
    """Return how far the anchor's undisturbed time moved between the quarters of a run; None with fewer than eight.

    With `apart`, each process has a level of its own that is none of the drift: it places the anchor anew.
    """
    clean = [anchor for anchor in anchors if anchor.clean]
    anchors = clean if len(clean) >= ENOUGH_ANCHORS else undisturbed_anchors(anchors)
    values = [anchor.value_us for anchor in anchors]
    if apart:
        sessions = {anchor.session for anchor in anchors}
        own = {name: median(one.value_us for one in anchors if one.session == name) for name in sessions}
        values = [anchor.value_us / own[anchor.session] for anchor in anchors]
    if len(values) < ENOUGH_ANCHORS:
        return None
    quarters = [undisturbed([float(us) for us in part]) for part in np.array_split(values, 4)]
    return 100 * (max(quarters) - min(quarters)) / min(quarters)


def disturbed_percent(anchors: Sequence[AnchorRecord]) -> float:
    """Return the share of the anchor's visits that took more than a tenth longer than undisturbed, in percent."""
    values = np.array([anchor.value_us for anchor in anchors])
    return float(100 * np.mean(values > 1.1 * undisturbed(values.tolist()))) if len(values) else 0.0


def doubts_of(
    report: FitReport,
    *,
    is_layers_sum: bool,
    layers: int,
    failures: int,
    never_clean: int,
    drift: float | None,
    disturbed: float | None,
    quota: str,
) -> tuple[Doubt, ...]:
    """Return what speaks against a profile, what matters most first in each severity.

    `is_layers_sum` tells whether it adds layers up, where it has `layers`. `drift` and `disturbed` are in percent, the
    latter None where a probe tells which layers were `never_clean`. `quota` says why a CPU quota is in the latencies.
    """
    noise, mape, others = report.noise_floor_percent, report.mape_percent or 0.0, disturbed or 0.0
    found = [
        (report.mape_percent is None, "poor", "no whole network verified the table"),
        (failures, "poor", f"{failures} models could not be timed"),
        (quota, "poor", quota),
        (mape > 10, "poor", f"the table misses whole networks by {mape:.1f} %"),
        (
            not is_layers_sum,
            "fair",
            "layers do not add up here, so a regression on whole networks predicts, alone or beside their sum",
        ),
        (5 < mape <= 10, "fair", f"the table misses whole networks by {mape:.1f} %"),
        (noise is None, "fair", "networks were visited once, so the repeat noise is unknown"),
        (noise is not None and noise > 3, "fair", f"repeats of one network differ by {noise or 0:.1f} %"),
        (drift is not None and drift > 5, "fair", f"the machine's speed drifted by {drift or 0:.1f} %"),
        (never_clean > max(layers, 1) / 10, "fair", f"{never_clean} of {layers} layers were never seen undisturbed"),
        (others > 50, "fair", f"other work slowed {others:.0f} % of the visits"),
    ]
    return tuple((severity, text) for applies, severity, text in found if applies)


def verdict_of(doubts: Sequence[Doubt]) -> str:
    """Return good, fair or poor."""
    severities = [severity for severity, _ in doubts]
    return "poor" if "poor" in severities else "fair" if severities else "good"

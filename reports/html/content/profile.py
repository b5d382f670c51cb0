"""What the report says of a profile: its facts, how well it predicts, the machine meanwhile, and its layers."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
from markupsafe import Markup

from ....errors import GnomonError
from ....lut import HardwareProfile
from ....lut.profile_file.timeline import Timeline
from ....profilers.results.contention import probed_visits
from ....profilers.results.drift import undisturbed_anchors
from ....profilers.timing.clean import is_clean
from ....profilers.timing.measurement import undisturbed
from ..drawing.fidelity import fidelity_drawing
from ..drawing.multiples import panel_drawing
from ..drawing.timeline import Moment, timeline_drawing
from .layers import LayerRow, layers_of, panels_of, worst_value
from .run_data import rounded

MOST_MOMENTS, BINS = 1500, 48
MOST_ROWS = 4000  # layers in the table: the slowest


@dataclass(frozen=True)
class ProfileContent:
    """A profile as the report shows it; drawings are markup, `data` is what the script reads."""

    title: str
    facts: tuple[tuple[str, str], ...]
    quality: str
    doubts: tuple[str, ...]
    failures: tuple[tuple[str, str], ...]
    fidelity: Markup | None
    candidates: tuple[tuple[str, float], ...]
    chosen_model: str
    timeline: Markup | None
    machine: str
    layers: tuple[LayerRow, ...]
    hidden_layers: int
    worst: tuple[LayerRow, ...]
    panels: tuple[tuple[str, Markup, str], ...]
    data: dict[str, Any]


def profile_content(profile: HardwareProfile) -> ProfileContent:
    """Collect what there is to say of a profile; what needs its space is left out where that is not installed."""
    try:
        facts, report = tuple(profile.facts()), profile.latency.report
        quality, doubts = profile.quality, tuple(text for _, text in profile.doubts)
        fidelity = fidelity_of(profile)
    except GnomonError as error:
        facts, report, quality, doubts, fidelity = (
            (("profile", profile.line()),),
            profile.fit,
            "unknown",
            (str(error),),
            None,
        )
    rows = layers_of(profile)
    return ProfileContent(
        title=profile.name,
        facts=facts,
        quality=quality,
        doubts=doubts,
        failures=tuple(profile.table.failures.items()),
        fidelity=fidelity,
        candidates=tuple(sorted(report.candidates_mape_percent.items(), key=lambda item: item[1])[:8]),
        chosen_model=report.model,
        timeline=timeline_of(profile),
        machine=machine_said(profile),
        layers=tuple(rows[:MOST_ROWS]),
        hidden_layers=max(0, len(rows) - MOST_ROWS),
        worst=tuple(worst_value(rows)),
        panels=tuple(
            (panel.kind, panel_drawing(panel), f"median: x{panel.ratio:.2f} from the smallest to the largest")
            for panel in panels_of(profile)
        ),
        data={"name": profile.name, "layers": table_data(rows[:MOST_ROWS])},
    )


def table_data(rows: list[LayerRow]) -> dict[str, Any]:
    """Return the columns of the table of layers."""
    return {
        "key": [row.key for row in rows],
        "kind": [row.kind for row in rows],
        "us": rounded(row.us for row in rows),
        "low": rounded(row.low_us for row in rows),
        "high": rounded(row.high_us for row in rows),
        "adds": [
            None if row.adds_us is None or not np.isfinite(row.adds_us) else float(f"{row.adds_us:.6g}") for row in rows
        ],
        "macs": [row.macs for row in rows],
        "rate": rounded(row.gmacs_per_s for row in rows),
        "peak": rounded(row.of_peak for row in rows),
        "clean": [row.undisturbed for row in rows],
    }


def fidelity_of(profile: HardwareProfile) -> Markup | None:
    """Draw the predictions of networks that each fit had not seen; None without whole networks."""
    if not profile.networks:
        return None
    space, table = profile.space, profile.table
    networks = [space.layers(space.architecture(record.indices)) for record in profile.networks]
    summed = None if table.is_empty else [sum(table.value_or_nan(spec) for spec in layers) for layers in networks]
    return fidelity_drawing(
        [measurement.value_us for measurement in profile.network_measurements],
        profile.latency.held_out_us,
        None if summed is None or not np.isfinite(summed).all() else summed,
        [record.id for record in profile.networks],
        noise_percent=profile.latency.report.noise_floor_percent,
    )


def timeline_of(profile: HardwareProfile) -> Markup | None:
    """Draw how fast the machine was all along; None where no anchor was timed."""
    if not profile.anchors:
        return None
    starts = profile.header.session_starts_s
    typical = undisturbed([anchor.value_us for anchor in undisturbed_anchors(profile.anchors)])
    step = -(-len(profile.anchors) // MOST_MOMENTS)
    moments = [
        Moment(starts.get(anchor.session, 0.0) + anchor.t_s, anchor.value_us / typical, anchor.clean)
        for anchor in profile.anchors[::step]
    ]
    return timeline_drawing(moments, list(starts.values()), shared_over_time(profile))


def shared_over_time(profile: HardwareProfile) -> list[tuple[float, float]]:
    """Return, in equal parts of the time, the share of readings around whole networks that were not clean."""
    timeline = Timeline.of(profile.header.session_starts_s, profile.anchors)
    visits = [visit for n, record in enumerate(profile.networks) for visit in timeline.visits(n, record)]
    readings = [
        (visit.t_s, not is_clean(slowness))
        for visit, marks in zip(visits, probed_visits(visits))
        if marks is not None
        for slowness in marks.readings
    ]
    if not readings:
        return []
    ends = np.linspace(0, max(at for at, _ in readings), BINS + 1)
    bins: list[list[bool]] = [[] for _ in range(BINS)]
    for at, is_shared in readings:
        bins[min(BINS - 1, int(np.searchsorted(ends, at, side="right")) - 1)].append(is_shared)
    return [((a + b) / 2, mean(found) if found else 0.0) for a, b, found in zip(ends, ends[1:], bins)]


def machine_said(profile: HardwareProfile) -> str:
    """Say what the machine did while it was measured."""
    contention, drift = profile.header.contention, profile.drift_percent
    said = (
        []
        if drift is None
        else [f"the anchor's undisturbed time moved by {drift:.1f} % between the quarters of the run"]
    )
    if contention is not None:
        said.append(
            f"a probe beside every block found the core shared {contention.time_share:.0%} of the time, "
            f"x{contention.slow_down:.2f} slower then, in spells of {contention.spell_ms:.0f} ms"
        )
    else:
        said.append(
            f"{profile.disturbed_percent:.0f} % of the anchor's visits took over a tenth longer than undisturbed; "
            "no probe was read"
        )
    return "; ".join(said)[:1].upper() + "; ".join(said)[1:] + "."

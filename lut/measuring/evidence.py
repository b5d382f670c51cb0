"""What the records of a profile say of a run, whatever was timed in it: blocks, and how busy the core was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...profilers.results.results import Results
from ...profilers.results.visits import Visit
from ...profilers.timing.measurement import Measurement
from ..profile_file.schema import ProfileContention


def raw_records(results: Results) -> dict[str, dict[str, Any]]:
    """Return what the records of layers and networks have in common, by key: blocks, and what the probe read."""
    visits: dict[str, list[Visit]] = {}
    for visit in results.visits:
        visits.setdefault(visit.key, []).append(visit)
    return {
        key: {
            "loops": taken[0].loops,
            "block_us": tuple(visit.block_us for visit in taken),
            "probe_us": tuple(visit.probe_us for visit in taken) if all(visit.probe_us for visit in taken) else (),
            "switches": tuple(visit.switches for visit in taken) if all(visit.switches for visit in taken) else (),
        }
        for key, taken in visits.items()
    }


def contention_of(results: Results, layers: Iterable[Measurement]) -> ProfileContention | None:
    """Return how busy the core was, and how many of the layers were never seen undisturbed; None without a probe."""
    summary = results.contention
    if summary is None:
        return None
    return ProfileContention(
        time_share=round(summary.time_share, 4),
        slow_down=round(summary.slow_down, 4),
        spell_ms=round(summary.spell_ms, 3),
        disturbed_layers=sum(not layer.is_undisturbed for layer in layers),
    )

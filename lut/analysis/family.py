"""Latency of a space that was never profiled, from profiles of its relatives: other resolutions or widths of it.

The layers' latencies are interpolated or predicted from all that the profiles measured (`regression.py`); how layers
add up is fitted to the whole networks of all of them. Every estimate is flagged with where it comes from.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...supernets import load_space
from ..errors import ProfileMismatch
from ..latency_model.model import LatencyModel
from ..latency_model.regression import with_predictions
from ..latency_model.table import LatencyTable
from ..latency_model.terms import runs_of
from ..profile_file.profile import HardwareProfile

SAME = ("backend", "config", "device")


def model_for_space(profiles: Sequence[HardwareProfile], space: str) -> LatencyModel:
    """Build the latency model of `space` from profiles of other spaces, measured under the same conditions.

    Raises ProfileMismatch when the profiles differ in backend, configuration or device, LutError when they hold too
    few layers of a kind, UnknownSpace.
    """
    first, *others = profiles
    for other in others:
        for field in SAME:
            mine, theirs = getattr(first.header, field), getattr(other.header, field)
            if mine != theirs:
                raise ProfileMismatch(
                    f"profiles {first.name} and {other.name} cannot be used together: {field} is {mine} and {theirs}",
                    fields=(field,),
                )
    wanted = load_space(space)
    measured = {key: m for profile in reversed(profiles) for key, m in profile.table.measurements.items()}
    failures = {key: why for profile in profiles for key, why in profile.table.failures.items() if key not in measured}
    table = with_predictions(LatencyTable(measured, failures), wanted.unique_layers())
    networks = [p.space.layers(p.space.architecture(n.indices)) for p in profiles for n in p.networks]
    if not networks:
        return LatencyModel.unverified(wanted, table)
    runs = [runs_of(profile.space) for profile in profiles for _ in profile.networks]
    times = [measurement for profile in profiles for measurement in profile.network_measurements]
    return LatencyModel.fit_layers(wanted, table, networks, times, runs)

"""The layers of a profile: each with its time, its work, and how it depends on one attribute at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ....errors import GnomonError
from ....lut import HardwareProfile
from ....lut.lint.finding import spec_of
from ....profilers.timing.measurement import quantile
from ....supernets import LayerSpec
from ....supernets.layers.registry import macs
from ..drawing.multiples import Panel

MOST_PANELS, MOST_LINES = 12, 60
WORST = 8


@dataclass(frozen=True, slots=True)
class LayerRow:
    """A layer as the table shows it.

    `low_us` to `high_us` holds 90 % of the blocks that count; `adds_us` is what it adds inside a network.

    of_peak: its rate of work as a share of the fastest layer's. lost_us: its time beyond what the fastest rate takes.
    """

    key: str
    kind: str
    us: float
    low_us: float
    high_us: float
    adds_us: float | None
    macs: int
    gmacs_per_s: float
    of_peak: float
    lost_us: float
    undisturbed: bool | None


def layers_of(profile: HardwareProfile) -> list[LayerRow]:
    """Return the measured layers whose keys can be read, the slowest first."""
    specs = {key: spec for key in profile.table.measurements if (spec := spec_of(key)) is not None}
    adds = contributions(profile)
    batch, has_probe = profile.header.config.batch, profile.header.contention is not None
    rates = {key: batch * macs(spec) / profile.table.measurements[key].value_us / 1e3 for key, spec in specs.items()}
    peak = max(rates.values(), default=0.0) or 1.0
    rows = []
    for key, spec in specs.items():
        found = profile.table.measurements[key]
        counted = sorted(us for visit in found.used_us for us in visit)
        rows.append(
            LayerRow(
                key,
                spec.kind,
                found.value_us,
                quantile(counted, 0.05),
                quantile(counted, 0.95),
                adds.get(key),
                macs(spec),
                rates[key],
                rates[key] / peak,
                found.value_us * (1 - rates[key] / peak),
                found.is_undisturbed if has_probe else None,
            )
        )
    return sorted(rows, key=lambda row: -row.us)


def contributions(profile: HardwareProfile) -> dict[str, float]:
    """Return what each layer adds to a network, by key; nothing where the space is not installed here."""
    try:
        return {spec.key: us for spec, us in profile.latency.contributions_us.items()}
    except GnomonError:
        return {}


def worst_value(rows: Sequence[LayerRow]) -> list[LayerRow]:
    """Return the layers whose time is least explained by their work: those with the most time beyond the peak rate."""
    return sorted(rows, key=lambda row: -row.lost_us)[:WORST]


def panels_of(profile: HardwareProfile) -> list[Panel]:
    """Return how latency depends on each attribute: lines of layers that agree in all others.

    The steepest panel comes first.
    """
    lines: dict[tuple[str, str], dict[object, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for key, found in profile.table.measurements.items():
        spec = spec_of(key)
        for name, value, rest in [] if spec is None else numbers_of(spec):
            lines[spec.kind if spec else "", name][rest].append((value, found.value_us))
    panels = []
    for (kind, name), groups in lines.items():
        kept = sorted(
            (tuple(sorted(line)) for line in groups.values() if len({v for v, _ in line}) > 1), key=len, reverse=True
        )
        if kept:
            ratio = median(line[-1][1] / line[0][1] for line in kept)
            panels.append(Panel(kind, name, tuple(kept[:MOST_LINES]), ratio))
    return sorted(panels, key=lambda panel: (-max(panel.ratio, 1 / panel.ratio), panel.kind, panel.attribute))[
        :MOST_PANELS
    ]


def numbers_of(spec: LayerSpec) -> list[tuple[str, float, object]]:
    """Return the numeric attributes of a layer, and its input's size, each with all that else tells the layer apart."""
    found: list[tuple[str, float, object]] = []
    for n, (name, value) in enumerate(spec.attributes):
        if isinstance(value, int):
            found.append((name, value, (spec.input_shape, spec.inputs, spec.attributes[:n] + spec.attributes[n + 1 :])))
    if len(spec.input_shape) == 3 and not spec.inputs:
        channels, height, _ = spec.input_shape
        found.append(("input_height", height, (channels, spec.attributes)))
    return found

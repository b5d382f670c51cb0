"""Why a network is as slow as it is predicted to be: its layers, one by one.

A layer has two latencies. The isolated one was measured in a session of its own. The contribution is the latency
model's estimate of the layer inside a network. Contributions, and what belongs to no single layer (`unassigned_us`),
add up to the prediction. Nothing is measured or rescaled here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ...supernets import Architecture, LayerSpec, SearchSpace
from ...supernets.layers.registry import macs
from ..latency_model.table import LatencyTable
from ..profile_file.description import html_from_facts
from ..profile_file.profile import HardwareProfile


@dataclass(frozen=True, slots=True)
class LayerShare:
    """One layer that runs: `position` is its slot's place in the space, times are in microseconds.

    `isolated_low_us` to `isolated_high_us` is where 90 % of the layer's own blocks lie, `gmacs_per_s` how many
    multiply-accumulates it achieved in isolation. These and `macs` are of one run; the contribution is of all `runs`
    of the layer's `part`, and `share` is its part of the network's prediction (a correction can make it negative).
    """

    position: int
    slot: str
    spec: LayerSpec
    isolated_us: float
    isolated_low_us: float
    isolated_high_us: float
    contribution_us: float
    share: float
    macs: int
    gmacs_per_s: float
    part: int = 0
    runs: int = 1

    @property
    def stage(self) -> str:
        """The slot's name up to its first dot: block3 of block3.2."""
        return self.slot.partition(".")[0]


@dataclass(frozen=True, slots=True)
class GroupShare:
    """Layers that belong together: a stage, or all of one kind. All numbers but `layers` count every run."""

    name: str
    layers: int
    isolated_us: float
    contribution_us: float
    share: float
    macs: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A network's predicted latency, with its 90 % interval, its source and its parts.

    `value_us` is the sum of the layers' contributions and `unassigned_us`.
    """

    architecture: Architecture
    value_us: float
    low_us: float
    high_us: float
    source: str
    layers: tuple[LayerShare, ...]
    unassigned_us: float

    @property
    def isolated_us(self) -> float:
        """The sum of the layers' runs as measured alone, which is no prediction."""
        return sum(layer.runs * layer.isolated_us for layer in self.layers)

    @property
    def runs(self) -> int:
        """How many layers run, those of a part as often as it runs."""
        return sum(layer.runs for layer in self.layers)

    @property
    def correction_us(self) -> float:
        """What the latency model changes in that sum, all its terms together."""
        return self.value_us - self.isolated_us

    @property
    def stages(self) -> tuple[GroupShare, ...]:
        """The layers by stage, in the network's order."""
        return groups(self.layers, lambda layer: layer.stage)

    @property
    def kinds(self) -> tuple[GroupShare, ...]:
        """The layers by kind, in order of first appearance."""
        return groups(self.layers, lambda layer: layer.spec.kind)

    def _repr_html_(self) -> str:
        said = f"{self.value_us:,.5g} us, 90 % in {self.low_us:,.5g} to {self.high_us:,.5g} us ({self.source})"
        stages = [
            (
                stage.name,
                f"{stage.contribution_us:,.4g} us  {'█' * round(40 * max(0.0, stage.share))} {stage.share:.0%}",
            )
            for stage in self.stages
        ]
        rest = ("no layer", f"{self.unassigned_us:,.4g} us")
        return html_from_facts([("network", self.architecture.id), ("latency", said), *stages, rest])


@dataclass(frozen=True, slots=True)
class SlotDifference:
    """A slot that two networks fill differently (None: nothing runs), and how much longer the second takes there."""

    slot: str
    first: LayerSpec | None
    second: LayerSpec | None
    first_us: float
    second_us: float

    @property
    def change_us(self) -> float:
        """Microseconds that the second network takes more; negative where it is faster."""
        return self.second_us - self.first_us


def explain(profile: HardwareProfile, architecture: Architecture) -> Explanation:
    """Break the latency that `profile` predicts for an architecture into its layers.

    Raises InvalidArchitecture for one of another space, LatencyMissing when a layer of it was not measured.
    """
    space, model = profile.space, profile.latency
    held = tuple(enumerate(space.slot_specs(architecture)))
    profile.table.require(tuple(spec for _, spec in held if spec is not None))
    estimate = model.predict([architecture.indices])
    value, low, high = (float(a[0]) for a in (estimate.value_us, estimate.low_us, estimate.high_us))
    layers = tuple(
        layer_share(
            space,
            spec,
            position=position,
            table=profile.table,
            contribution_us=model.contribution_us(spec),
            network_us=value,
            batch=profile.header.config.batch,
        )
        for position, spec in held
        if spec is not None
    )
    unassigned = value - sum(layer.contribution_us for layer in layers)
    return Explanation(architecture, value, low, high, str(estimate.source[0]), layers, unassigned)


def layer_share(
    space: SearchSpace,
    spec: LayerSpec,
    *,
    position: int,
    table: LatencyTable,
    contribution_us: float,
    network_us: float,
    batch: int,
) -> LayerShare:
    """Put a layer's measurement beside what it contributes, in each run, to a network of `network_us`."""
    low, high = isolated_interval(table, spec)
    count, isolated_us = macs(spec), table.value_us(spec)
    slot = space.slots[position]
    runs = space.parts[slot.part].runs
    return LayerShare(
        position=position,
        slot=slot.name,
        spec=spec,
        isolated_us=isolated_us,
        isolated_low_us=low,
        isolated_high_us=high,
        contribution_us=runs * contribution_us,
        share=runs * contribution_us / network_us,
        macs=count,
        gmacs_per_s=batch * count / isolated_us / 1e3,
        part=slot.part,
        runs=runs,
    )


def isolated_interval(table: LatencyTable, spec: LayerSpec) -> tuple[float, float]:
    """Return from where to where 90 % of a layer's blocks lie, in microseconds; of a predicted layer, its interval."""
    if spec.key in table.measurements:
        blocks = [us for visit in table.measurements[spec.key].block_us for us in visit]
        low, high = (float(us) for us in np.quantile(blocks, [0.05, 0.95]))
        return low, high
    value, ratio = table.value_us(spec), math.exp(table.doubt(spec))
    return value / ratio, value * ratio


def groups(layers: Iterable[LayerShare], name_of: Callable[[LayerShare], str]) -> tuple[GroupShare, ...]:
    """Add up layers by name, in order of first appearance."""
    members: dict[str, list[LayerShare]] = {}
    for layer in layers:
        members.setdefault(name_of(layer), []).append(layer)
    return tuple(
        GroupShare(
            name=name,
            layers=len(those),
            isolated_us=sum(layer.runs * layer.isolated_us for layer in those),
            contribution_us=sum(layer.contribution_us for layer in those),
            share=sum(layer.share for layer in those),
            macs=sum(layer.runs * layer.macs for layer in those),
        )
        for name, those in members.items()
    )


def differences(first: Explanation, second: Explanation) -> tuple[SlotDifference, ...]:
    """Return the slots that two networks of one space fill differently, in the network's order.

    The changes sum to the difference of the two predictions, with the change of what belongs to no layer.
    """
    before, after = ({layer.position: layer for layer in e.layers} for e in (first, second))
    found = []
    for position in sorted(before.keys() | after.keys()):
        a, b = before.get(position), after.get(position)
        if a is None or b is None or a.spec != b.spec:
            found.append(
                SlotDifference(
                    slot={**after, **before}[position].slot,
                    first=a.spec if a else None,
                    second=b.spec if b else None,
                    first_us=a.contribution_us if a else 0.0,
                    second_us=b.contribution_us if b else 0.0,
                )
            )
    return tuple(found)

"""Compare the layers' predicted shares with those of the runtime's own profiler, on the profile's device.

Profiling slows a model down, operators unequally, and runtimes count whole microseconds. So nothing here is a latency
and nothing is scaled to look like one: the network is timed without the profiler beside it, what no layer explains
keeps a line of its own, and only shares are compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...profilers.machine.hardware import fingerprint
from ...profilers.runtimes.backend import OperatorProfile, OperatorTime
from ...profilers.runtimes.operators import measure_operators
from ...profilers.runtimes.registry import load_backend
from ...supernets import Architecture
from ...supernets.graph import OUTPUT
from ..errors import ProfileMismatch
from ..measuring.measure import device_differences, measure_model
from ..measuring.networks import network_parts, timed_model
from ..profile_file.profile import HardwareProfile
from .explain import Explanation, LayerShare, explain

LAYER = re.compile(r"layer(\d+)\.")  # begins the names of a layer's nodes in graphs from layers
PROFILED_S = 0.5  # about how long the inferences of one round should last
MIN_LOOPS, MAX_LOOPS = 50, 300


@dataclass(frozen=True, slots=True)
class LayerOperators:
    """The operators that execute one layer; `share` is their part of all operators' profiled time."""

    layer: LayerShare
    operators: tuple[OperatorTime, ...]
    profiled_us: float
    share: float


@dataclass(frozen=True, slots=True)
class OperatorReport:
    """Where a network's time goes by the runtime's profiler; times in microseconds, of one inference (all parts).

    `measured_us` is the latency without the profiler, `inference_us` the wall time with it. `unexplained` are operators
    of no layer or of several. `anchor_ratio` is how much slower the machine is than when the profile was made, and
    `differences` says, field by field, with which other versions it was made.
    """

    explanation: Explanation
    layers: tuple[LayerOperators, ...]
    unexplained: tuple[OperatorTime, ...]
    profiled_us: float
    inference_us: float
    measured_us: float
    anchor_ratio: float
    differences: tuple[str, ...] = ()

    @property
    def overhead(self) -> float:
        """How many times longer an inference takes with the profiler on."""
        return self.inference_us / self.measured_us

    @property
    def unexplained_us(self) -> float:
        """What operators of no single layer took."""
        return sum(operator.value_us for operator in self.unexplained)

    @property
    def unexplained_share(self) -> float:
        """The same as a part of all operators' profiled time."""
        return self.unexplained_us / self.profiled_us if self.profiled_us else 0.0

    @property
    def outside_us(self) -> float:
        """The time of a profiled inference outside operators: framework, profiler, rounding."""
        return self.inference_us - self.profiled_us


def explain_operators(profile: HardwareProfile, architecture: Architecture) -> OperatorReport:
    """Time a network on this device, profile each part's operators, sort them by layer; takes up to half a minute.

    Raises ProfileMismatch on another device, OperatorsUnavailable for a backend without a profiler, and what
    `explain` and `measure_model` raise.
    """
    explanation = explain(profile, architecture)
    differences = device_differences(profile)
    if differences:
        raise ProfileMismatch(
            f"profile {profile.name} is of another device ({'; '.join(differences)}), so its layers cannot be held "
            f"against operators here; leave `operators` out, or measure this device: gnomon profile --space "
            f"{profile.header.space} --backend {profile.header.backend}",
            fields=tuple(difference.partition(":")[0] for difference in differences),
        )
    config = profile.run_config
    parts = network_parts(profile.space, architecture, config, weight_bits=profile.weight_bits)
    timed = measure_model(profile, timed_model(parts))
    measured_us = timed.measurement.value_us
    run_us = measured_us / sum(part.runs for part in parts)
    loops = min(MAX_LOOPS, max(MIN_LOOPS, round(PROFILED_S * 1e6 / run_us)))
    profiled = [
        measure_operators(part.model, backend=profile.header.backend, config=config, loops=loops) for part in parts
    ]
    report = operators_by_layer(explanation, profiled, measured_us=measured_us, anchor_ratio=timed.anchor_ratio)
    versions, hardware = load_backend(profile.header.backend).versions(), fingerprint().to_json()
    return replace(report, differences=profile.differences(versions=versions, hardware=hardware))


def operators_by_layer(
    explanation: Explanation, profiled: Sequence[OperatorProfile], *, measured_us: float, anchor_ratio: float
) -> OperatorReport:
    """Sort a network's operators, profiled part by part, by the layer whose nodes they execute.

    What a run takes counts as often as its part runs.
    """
    members: dict[int, list[OperatorTime]] = {layer.position: [] for layer in explanation.layers}
    unexplained: list[OperatorTime] = []
    inference_us = 0.0
    for part, profile in enumerate(profiled):
        layers = [layer for layer in explanation.layers if layer.part == part]
        inference_us += layers[0].runs * profile.inference_us
        for operator in profile.operators:
            position = layer_of(operator, len(layers))
            counted = (
                operator if layers[0].runs == 1 else replace(operator, value_us=layers[0].runs * operator.value_us)
            )
            (unexplained if position is None else members[layers[position].position]).append(counted)
    total = sum(operator.value_us for found in (*members.values(), unexplained) for operator in found)
    return OperatorReport(
        explanation=explanation,
        layers=tuple(layer_operators(layer, members[layer.position], total) for layer in explanation.layers),
        unexplained=tuple(unexplained),
        profiled_us=total,
        inference_us=inference_us,
        measured_us=measured_us,
        anchor_ratio=anchor_ratio,
    )


def layer_operators(layer: LayerShare, operators: Sequence[OperatorTime], total_us: float) -> LayerOperators:
    """Add up the operators of one layer."""
    profiled_us = sum(operator.value_us for operator in operators)
    return LayerOperators(layer, tuple(operators), profiled_us, profiled_us / total_us if total_us else 0.0)


def layer_of(operator: OperatorTime, layers: int) -> int | None:
    """Return the position of the one layer whose nodes an operator executes; None where it is none or several.

    A runtime may call the last node by the name of the graph's output.
    """
    matches = [LAYER.match(node) for node in operator.nodes]
    found = {int(match[1]) for match in matches if match}
    if OUTPUT in operator.nodes:
        found.add(layers - 1)
    position = found.pop() if len(found) == 1 else layers
    return position if position < layers else None

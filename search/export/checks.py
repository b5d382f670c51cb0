"""Checks on exported models: answers, metric and latency, each from running the very bytes that are shipped.

In fp32 the truth is torch. At another precision torch computes something else, so the truth is what the search saw: the
same file, run on this machine by whoever computes in that precision.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from ...lut import HardwareProfile, LutError, PauseFactor, Remeasured, is_this_device, measure_model, pause_factor
from ...profilers.errors import (
    BackendBroken,
    BackendUnavailable,
    BackendUnusable,
    FallbackRefused,
    ProfilerError,
    UnsupportedConfig,
)
from ...profilers.results.application import FRESH_LOAD
from ...profilers.run_config import RunConfig
from ...profilers.runtimes.availability import availability
from ...profilers.runtimes.backend import Executable
from ...profilers.runtimes.registry import backend_names, load_backend
from ...profilers.runtimes.subprocess import ModelsInSubprocess
from ...profilers.timing.application import Application
from ...profilers.timing.plan import Model
from ...profilers.transports.transport import Transport
from ...supernets.evaluation.supernet import Supernet
from ...supernets.graph import PartModel
from ...supernets.metric import Answers
from ...supernets.precision import FP32, runner_at, tolerance_of
from ...supernets.space.space import Architecture
from ..errors import ExportRefused

REFERENCE_BACKEND = "onnxruntime"


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a runtime's outputs for the exported file are from torch's, or at another precision than fp32 from this
    machine's reference for it."""

    backend: str
    version: str
    max_difference: float


@dataclass(frozen=True, slots=True)
class WithPauses:
    """The latency of single inferences that begin `period_ms` apart, and its factor to the hot loop's, 95 % interval.

    undisturbed: whether it is of inferences that nobody disturbed. late_share: of those that followed without a pause,
    because they take longer than the period.
    """

    period_ms: float
    latency_us: float
    relative_iqr: float
    undisturbed: bool
    late_share: float
    factor: PauseFactor


@dataclass(frozen=True, slots=True)
class SeenStart:
    """How long the model loads (compiles), and its first inference: medians of `loads` loads, each as `of` says."""

    load_ms: float
    first_us: float
    loads: int
    of: str = FRESH_LOAD


@dataclass(frozen=True, slots=True)
class ExportedLatency:
    """Predicted latency with its 90 % interval, and the measured one; or why it was not measured.

    `measured_us` is that of the hot loop, `start` and `with_pauses` are what an application sees. `anchor_ratio` says
    how much slower the machine is now than when it was profiled; `expected_us` is the prediction times that ratio.
    """

    predicted_us: float
    low_us: float
    high_us: float
    verified: str
    measured_us: float | None = None
    relative_iqr: float | None = None
    anchor_ratio: float | None = None
    expected_us: float | None = None
    not_measured: str | None = None
    start: SeenStart | None = None
    with_pauses: WithPauses | None = None

    @property
    def error_percent(self) -> float | None:
        """The prediction's error, once the machine's own change of speed is taken out."""
        if self.measured_us is None or self.expected_us is None:
            return None
        return 100 * (self.expected_us - self.measured_us) / self.measured_us


@dataclass(frozen=True, slots=True)
class LoadedPart:
    """A part in a runtime, as super-networks call it."""

    executable: Executable

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input, batch included."""
        return self.executable.input_shapes

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once, on inputs converted to the model's own types."""
        bound = self.executable.inputs
        given = {n: value.astype(bound[n].dtype, copy=False) if n in bound else value for n, value in inputs.items()}
        return dict(self.executable.run(given))


@dataclass(frozen=True, slots=True)
class PartApart:
    """A part in a runtime in a process of its own, as super-networks call it."""

    models: ModelsInSubprocess
    position: int

    @property
    def input_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return the shape of each input, batch included."""
        return self.models.input_shapes[self.position]

    def __call__(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run it once."""
        return self.models.run(self.position, inputs)


def check_parity(
    parts: Sequence[PartModel],
    supernet: Supernet,
    expected: Answers,
    examples: int,
    *,
    precision: str = FP32,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[Parity, ...]:
    """Compare what every installed runtime answers to the first test examples with `expected`.

    Each runs in a process of its own, because some exclude each other in one. A runtime that is installed and does not
    work here, is broken, cannot run all of the parts where it says, or does not compute in the precision here, is not
    compared, and `on_step` is told. Answers that are no outputs but decisions, as the words of a translation, are
    compared in fp32 alone: rounding may tip each of them. Raises ExportRefused for a difference, WorkerCrashed for a
    runtime that dies.
    """
    parities = []
    for name in backend_names():
        state = availability(name)
        if isinstance(state.cause, (BackendUnusable, BackendBroken)):
            on_step(f"not compared: {state.reason}")
        if state.cause is not None:
            continue
        config = RunConfig(device=state.device, precision=precision)
        try:
            with ModelsInSubprocess([part.model for part in parts], backend=name, config=config) as models:
                runners = [PartApart(models, position) for position in range(len(parts))]
                answers = supernet.answers_from(runners, "test", examples)
        except (BackendBroken, BackendUnavailable, FallbackRefused, UnsupportedConfig) as error:
            on_step(f"not compared: {error}")
            continue
        difference = answers.difference(expected)
        limit = tolerance_of(precision) * max(1.0, expected.largest)
        if difference > limit and (precision == FP32 or expected.is_continuous):
            raise ExportRefused(
                f"{name} {models.version} differs from {'torch' if precision == FP32 else 'the reference'} by "
                f"{difference:.2e} on what would be exported (at most {limit:.2e} is accepted); nothing was written"
            )
        parities.append(Parity(name, models.version, difference))
    return tuple(parities)


def expected_answers(
    parts: Sequence[PartModel], supernet: Supernet, architecture: Architecture, examples: int, *, precision: str
) -> Answers:
    """Return what runtimes should answer to the first test examples: what torch does, or the precision's reference."""
    if precision == FP32:
        return supernet.answers(architecture, "test", examples)
    return reference_answers(parts, supernet, examples, precision=precision)


def check_metric(parts: Sequence[PartModel], supernet: Supernet, expected: float, *, precision: str = FP32) -> float:
    """Return the exported models' metric on the test split; raises ExportRefused when it is not the `expected` one."""
    metric = supernet.metric
    if precision == FP32:
        answers = answers_of(REFERENCE_BACKEND, parts, supernet, None)
    else:
        answers = reference_answers(parts, supernet, None, precision=precision)
    value = supernet.score(answers, "test")
    if abs(value - expected) > metric.tolerance:
        raise ExportRefused(
            f"what would be exported has {metric.name} {value:.2f} {metric.unit} on the test split, "
            f"{'torch' if precision == FP32 else f'a search in {precision}'} {expected:.2f}; nothing was written"
        )
    return value


def answers_of(
    backend: str, parts: Sequence[PartModel], supernet: Supernet, examples: int | None, *, precision: str = FP32
) -> Answers:
    """Run the parts on the first test examples (None: all), one at a time."""
    loaded = load_backend(backend)
    config = RunConfig(device=loaded.device, precision=precision)
    with ExitStack() as stack:
        runners = [LoadedPart(stack.enter_context(loaded.load(part.model, config))) for part in parts]
        return supernet.answers_from(runners, "test", examples)


def reference_answers(
    parts: Sequence[PartModel], supernet: Supernet, examples: int | None, *, precision: str
) -> Answers:
    """Run the parts where this machine computes in a precision; raises PrecisionUnavailable."""
    return supernet.answers_from([runner_at(part.model, precision) for part in parts], "test", examples)


def predicted_latency(
    profile: HardwareProfile, architecture: Architecture, device: Transport | None = None
) -> ExportedLatency:
    """Predict the latency of one input, and say why it cannot be measured on `device` (None: this machine), if so."""
    estimate = profile.latency.predict([architecture.indices])
    value, low, high = (float(a[0]) for a in (estimate.value_us, estimate.low_us, estimate.high_us))
    elsewhere = None
    if not is_this_device(profile, device):
        elsewhere = f"the profile is of another device, {profile.header.device}"
    return ExportedLatency(value, low, high, profile.latency.report.sentence(), not_measured=elsewhere)


def measured_latency(
    profile: HardwareProfile,
    predicted: ExportedLatency,
    model: Model,
    application: Application,
    on_step: Callable[[str], None],
    device: Transport | None = None,
) -> ExportedLatency:
    """Measure the latency of one input beside its prediction, once nothing else is measured here.

    What goes wrong with it is written down as the reason why there is none: the exported files are what they are.
    """
    try:
        remeasured = measure_model(profile, model, application=application, device=device, on_wait=on_step)
    except (ProfilerError, LutError) as error:
        return replace(predicted, not_measured=str(error))
    return replace(
        predicted,
        measured_us=remeasured.measurement.value_us,
        relative_iqr=remeasured.measurement.relative_iqr,
        anchor_ratio=remeasured.anchor_ratio,
        expected_us=predicted.predicted_us * remeasured.anchor_ratio,
        start=seen_start(remeasured),
        with_pauses=with_pauses(remeasured, application),
    )


def seen_start(remeasured: Remeasured) -> SeenStart | None:
    """Return how the model starts; None where that could not be timed."""
    seen = remeasured.seen
    return None if seen is None else SeenStart(seen.typical_load_ms, seen.typical_first_us, len(seen.load_ms))


def with_pauses(remeasured: Remeasured, application: Application) -> WithPauses | None:
    """Return the latency of the model with pauses; None where none was asked for, or it could not be timed."""
    seen, period_us = remeasured.seen, application.period_us
    if seen is None or seen.paced is None or period_us is None:
        return None
    return WithPauses(
        period_ms=period_us / 1e3,
        latency_us=seen.paced.value_us,
        relative_iqr=seen.paced.relative_iqr,
        undisturbed=seen.paced.is_undisturbed,
        late_share=seen.late_share,
        factor=pause_factor(remeasured.measurement, seen.paced),
    )
